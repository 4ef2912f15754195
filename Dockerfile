# Engawa's images, by target: web (pages, streams, commands), websocket (rooms over WebSocket, nothing else), single (all
# of it in one container, for a small site), pushpin (holds streams). docs/deployment.md says how each is run, and how
# the digest below is renewed.
#
# Nothing of them is written to while they run but /tmp, and what is mounted.

ARG BASE=python:3.11-slim-bookworm@sha256:a36c24f9cbdf4fd0f52d67f0823eeac19c2028c637cecc392d97f980d4fec56b

# What all have: a Python, a user who owns nothing, and no program that makes anybody else of him.
FROM ${BASE} AS base
ENV PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
RUN groupadd --gid 10001 engawa && \
    useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin engawa && \
    find / -xdev -type f -perm /6000 -exec chmod a-s {} +

# Packages, with the bytecode of all of them.
FROM base AS packages
WORKDIR /build
# hadolint ignore=DL3008,DL3009
RUN apt-get update && \
    apt-get install -y --no-install-recommends binutils && \
    python -m venv --without-pip /opt/venv
COPY deploy/images/lighten requirements-websocket.txt ./
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile -r requirements-websocket.txt

FROM packages AS packages-web
COPY requirements.txt ./
RUN python -m pip --python /opt/venv/bin/python install --no-cache-dir --no-compile -r requirements.txt && \
    /build/lighten /opt/venv

FROM packages AS packages-websocket
RUN /build/lighten /opt/venv

# What browsers load is made here, once.
FROM packages-web AS code
WORKDIR /app
COPY manage.py pyproject.toml ./
COPY config config
COPY chat chat
COPY feeds feeds
COPY locale locale
COPY static static
COPY templates templates
RUN SECRET_KEY=for-nothing-but-making-static-files DATABASE_URL=sqlite:////tmp/none /opt/venv/bin/python manage.py build_static && \
    rm -f var/static.lock && \
    find locale -name "*.po" -delete && \
    python -m compileall -q --invalidation-mode unchecked-hash manage.py config chat feeds

# What runs: no compiler, no pip.
FROM base AS runtime
ENV PATH=/opt/venv/bin:$PATH
RUN rm -rf /usr/local/lib/python3*/site-packages/pip* /usr/local/lib/python3*/site-packages/setuptools* \
        /usr/local/lib/python3*/site-packages/wheel* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* && \
    install -d -o 0 -g 0 -m 0755 /app && \
    install -d -o 10001 -g 10001 -m 0755 /srv/static && \
    install -d -o 10001 -g 10001 -m 0700 /run/engawa /srv/backups && \
    install -d -o 10001 -g 10001 -m 0755 /run/engawa/postgres /run/engawa/pushpin
WORKDIR /app
USER 10001:10001
EXPOSE 8000 9464
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-m", "config.probe"]

FROM runtime AS websocket
ARG VERSION=local
LABEL org.opencontainers.image.title="Engawa, WebSockets" \
      org.opencontainers.image.description="Rooms over WebSocket, and nothing else" \
      org.opencontainers.image.version="${VERSION}"
COPY --from=packages-websocket /opt/venv /opt/venv
COPY --from=code /app/manage.py /app/pyproject.toml ./
COPY --from=code /app/config config
COPY --from=code /app/chat chat
COPY --from=code /app/feeds/__init__.py /app/feeds/apps.py /app/feeds/encoders.py /app/feeds/grip.py /app/feeds/publishing.py feeds/
COPY --from=code /app/locale locale
CMD ["python", "-m", "config.serve", "websocket"]

FROM runtime AS web
ARG VERSION=local
LABEL org.opencontainers.image.title="Engawa" \
      org.opencontainers.image.description="Pages, streams and commands of Engawa" \
      org.opencontainers.image.version="${VERSION}"
USER 0
# For manage.py backup and restore: of the version that the server has. Its programs themselves, without what chooses
# among versions of them, and the Perl that this is written in.
# hadolint ignore=DL3008,SC2046
RUN apt-get update && \
    apt-get install -y --no-install-recommends postgresql-client-15 && \
    dpkg --purge --force-depends postgresql-client-common perl \
        $(dpkg-query --show --showformat '${Package} ' 'perl-modules-*' 'libperl5*') && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log
USER 10001:10001
COPY --from=packages-web /opt/venv /opt/venv
COPY --from=code /app ./
CMD ["python", "-m", "config.serve", "web"]

# All of it in one process, on SQLite. What it keeps, the secret among it, is in the volume.
FROM web AS single
USER 0
RUN chown -R 10001:10001 /app/var
USER 10001:10001
ENV HOST=0.0.0.0
VOLUME /app/var
CMD ["python", "manage.py", "start"]

# Debian's, which the tests run on as well.
FROM base AS pushpin
# hadolint ignore=DL3008
RUN apt-get update && \
    apt-get install -y --no-install-recommends pushpin zurl && \
    rm -rf /var/lib/apt/lists/* /var/cache/apt/* /var/log/apt /var/log/dpkg.log && \
    install -d -o 10001 -g 10001 -m 0700 /run/pushpin
COPY config/probe.py /opt/pushpin/probe.py
COPY deploy/pushpin /opt/pushpin
USER 10001:10001
EXPOSE 7999 5561
ENV PORT=7999
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 CMD ["python", "/opt/pushpin/probe.py", "--live"]
CMD ["/opt/pushpin/run"]
