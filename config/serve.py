"""``python -m config.serve web`` and ``… websocket``: one role, with WORKERS processes on HOST:PORT.

For services that each do one thing. The database is brought up to date by another (``manage.py upgrade``), before.
"""

import logging
import sys

from config import role

SERVED = (role.WEB, role.WEBSOCKET)


def main(arguments: list[str]) -> int | str:
    """Serve until told to stop. Returns an exit code, or what went wrong."""
    if len(arguments) != 1 or arguments[0] not in SERVED:
        print(f"usage: python -m config.serve {{{','.join(SERVED)}}}", file=sys.stderr)
        return 2
    role.choose(arguments[0])
    from django.core.exceptions import ImproperlyConfigured

    try:
        return _serve()
    except ImproperlyConfigured as error:
        return f"engawa: {error}"


def _serve() -> int | str:
    import django
    from django.conf import settings
    from django.utils.log import configure_logging

    from config.serving import serve
    from config.workers import NoWorkers, need_redis

    count = settings.WORKERS
    if count > 1:
        need_redis()
        configure_logging(settings.LOGGING_CONFIG, settings.LOGGING)  # all of Django that a parent needs
    else:
        django.setup(set_prefix=False)
    where = f"{settings.HOST}:{settings.PORT}"

    def on_ready() -> None:
        logging.getLogger("config.serve").info(
            "listening on %s, role %s, %s process%s", where, settings.ROLE, count, "es" if count > 1 else ""
        )

    try:
        failure = serve(count, on_ready)
    except NoWorkers:
        return "engawa: no worker came up; what it said stands above"
    return f"engawa: cannot listen on {where} ({failure}). PORT names another port." if failure else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
