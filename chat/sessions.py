"""Sessions in the database, as Django keeps them, under keys that only Django makes."""

import re

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessionStore

_KEY = re.compile(r"[0-9a-z]{32}")


class SessionStore(DatabaseSessionStore):
    def _validate_session_key(self, key: str | None) -> bool:
        # Django asks for eight characters of any kind; PostgreSQL will not even look for some of them.
        return key is not None and _KEY.fullmatch(key) is not None
