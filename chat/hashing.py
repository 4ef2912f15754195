"""Passwords as they are kept: by Argon2id."""

from threading import BoundedSemaphore
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher

AT_ONCE = 4  # in a process: hashing takes memory, and whoever is nobody may ask for it

_turns = BoundedSemaphore(AT_ONCE)


class Argon2(Argon2PasswordHasher):
    """Django's, in less memory: 19 MiB in two passes, as OWASP advises, where Django takes 100 MiB on eight threads."""

    memory_cost = 19 * 1024  # KiB
    time_cost = 2
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        with _turns:
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str, **options: Any) -> bool:
        with _turns:
            return super().verify(password, encoded, **options)
