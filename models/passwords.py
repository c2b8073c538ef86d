"""Hashes of passwords. Argon2 takes a tenth of a second or more of pure computing, on purpose."""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from settings import get_settings

Runner = Callable[[Callable[[], Any]], Any]


def _here(work: Callable[[], Any]) -> Any:
    return work()


class _Place:
    runner: Runner = staticmethod(_here)


def compute_in(runner: Runner) -> None:
    """Let `runner` do the computing, such as a thread pool of an event loop that must not stop."""
    _Place.runner = staticmethod(runner)


def hashed(password: str) -> str:
    """Return a new hash of `password`."""
    return _Place.runner(partial(_hasher().hash, password))


def fits(password: str, known_hash: str | None) -> bool:
    """Whether `password` made `known_hash`; as slow, and False, when there is no hash."""
    return _Place.runner(partial(_fits, password, known_hash or _hash_of_nobody())) and bool(
        known_hash
    )


def _fits(password: str, known_hash: str) -> bool:
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
