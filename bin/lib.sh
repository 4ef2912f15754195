# Shared by the commands in this folder. POSIX sh; sourced from the project's root.

VENV=.venv

fail() {
    printf 'engawa: %s\n' "$*" >&2
    exit 1
}

# The Python to build the environment with: $PYTHON, or the first that is new enough.
find_python() {
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        command -v "$candidate" >/dev/null 2>&1 || continue
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
        found="$candidate is $("$candidate" --version 2>&1 | sed 's/^Python //')"
    done
    fail "this needs Python 3.11 or newer, and ${found:-there is no Python here}. Install one, or name it: PYTHON=/path/to/python3 $0"
}

# Debian's Python comes without what a virtual environment is made with: use what else there is, else install it.
make_venv() {
    python=$1
    rm -rf "$VENV"
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        "$python" -m venv "$VENV" && return
    elif "$python" -m pip --version >/dev/null 2>&1 && "$python" -c 'import venv' 2>/dev/null; then
        "$python" -m venv --without-pip "$VENV" && "$python" -m pip -q --python "$VENV/bin/python" install pip && return
    elif command -v uv >/dev/null 2>&1; then
        uv venv -q --seed --python "$python" "$VENV" && return
    elif command -v virtualenv >/dev/null 2>&1; then
        virtualenv -q -p "$python" "$VENV" && return
    elif install_packages "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-venv"; then
        "$python" -m venv "$VENV" && return
    fi
    rm -rf "$VENV"
    fail "$python cannot make virtual environments. On Debian and Ubuntu: sudo apt-get install python3-venv, then run $0 again."
}

# Install Debian packages where that takes no password.
install_packages() {
    command -v apt-get >/dev/null 2>&1 || return 1
    if [ "$(id -u)" -eq 0 ]; then
        as_root=
    elif sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        return 1
    fi
    printf 'engawa: installing %s\n' "$*" >&2
    { $as_root apt-get -qq update && DEBIAN_FRONTEND=noninteractive $as_root apt-get -qq -y install "$@"; } >/dev/null
}

# Bring $VENV up to what a requirements file says; does nothing where it is.
prepare() {
    requirements=$1
    mkdir -p var 2>/dev/null && [ -w . ] && [ -w var ] || fail "cannot write to $(pwd): give yourself that right, or clone into a folder of your own."
    stamp="$VENV/.$requirements"
    wanted=$(cat requirements*.txt | cksum)
    if [ -x "$VENV/bin/python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ]; then
        return
    fi
    "$VENV/bin/python" -m pip --version >/dev/null 2>&1 || {
        python=$(find_python) || exit 1
        make_venv "$python"
    }
    printf 'engawa: installing what %s names\n' "$requirements" >&2
    "$VENV/bin/python" -m pip install -q --disable-pip-version-check -r "$requirements" ||
        fail "could not install what $requirements names; the lines above say why."
    printf '%s\n' "$wanted" >"$stamp"
    # What the tests need includes what running needs.
    [ "$requirements" = requirements.txt ] || cp "$stamp" "$VENV/.requirements.txt"
}
