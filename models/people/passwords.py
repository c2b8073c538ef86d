"""Hashes of passwords. Argon2 takes a tenth of a second or more of pure computing, on purpose.

Keyboards write one and the same letter in several ways, so a password is hashed in one of them.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any
from unicodedata import normalize

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from settings import get_settings

Runner = Callable[[Callable[[], Any]], Any]


def _here(work: Callable[[], Any]) -> Any:
    return work()


class _Place:
    runner: Runner = staticmethod(_here)


def set_executor(runner: Runner) -> None:
    """Let `runner` do the computing, such as a thread pool of an event loop that must not stop."""
    _Place.runner = staticmethod(runner)


def hashed(password: str) -> str:
    """Return a new hash of `password`."""
    return _Place.runner(partial(_hasher().hash, one_form(password)))


def one_form(password: str) -> str:
    """Return a password as it is hashed: each letter written in one way (NFC)."""
    return normalize("NFC", password)


def verify(password: str, known_hash: str | None) -> bool:
    """Whether `password` made `known_hash`; as slow, and False, when there is no hash.

    Hashes from before there was one form hold what was typed then, so that is tried as well.
    """
    return _Place.runner(partial(_fits, password, known_hash or _hash_of_nobody())) and bool(
        known_hash
    )


def _fits(password: str, known_hash: str) -> bool:
    return any(
        _verifies(form, known_hash) for form in dict.fromkeys((one_form(password), password))
    )


def _verifies(password: str, known_hash: str) -> bool:
    try:
        return _hasher().verify(known_hash, password)
    except (VerificationError, InvalidHashError):
        return False


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher(memory_cost=get_settings().password_memory_kib)


@lru_cache(maxsize=1)
def _hash_of_nobody() -> str:
    return _hasher().hash("nobody has this password")
