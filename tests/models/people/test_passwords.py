"""Hashes of passwords."""

from collections.abc import Callable
from typing import Any

import pytest
from argon2 import PasswordHasher

from models.people import passwords
from settings import Settings


def test_a_password_fits_its_own_hash_only(settings: Settings) -> None:
    assert settings.password_memory_kib == 64
    known = passwords.hashed("correct horse")
    assert "correct" not in known
    assert passwords.verify("correct horse", known)
    assert not passwords.verify("Correct horse", known)
    assert passwords.hashed("correct horse") != known


def test_a_hash_from_before_there_was_one_form_still_fits(settings: Settings) -> None:
    typed = "Gru\u0308ße aus Köln"
    known = PasswordHasher(memory_cost=settings.password_memory_kib).hash(typed)
    assert passwords.verify(typed, known)
    assert not passwords.verify("Gr\u00fcße aus Köln", known)


@pytest.mark.parametrize("known", [None, "", "no hash at all"])
def test_nothing_fits_a_hash_that_is_none(settings: Settings, known: str | None) -> None:
    assert settings
    assert not passwords.verify("nobody has this password", known)


def test_the_computing_can_be_done_elsewhere(settings: Settings) -> None:
    assert settings
    done: list[str] = []

    def _elsewhere(work: Callable[[], Any]) -> Any:
        done.append("elsewhere")
        return work()

    passwords.set_executor(_elsewhere)
    try:
        assert passwords.verify("correct horse", passwords.hashed("correct horse"))
    finally:
        passwords.set_executor(lambda work: work())
    assert done == ["elsewhere", "elsewhere"]
