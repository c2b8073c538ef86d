"""What anybody may know about whether everything works."""

from collections.abc import Callable

import pytest

from tests.webapp.browser import Browser
from webapp.core import health
from webapp.core.health import Lately
from webapp.public import status

ALL = {"database": True, "redis": True, "storage": True, "engine": True, "is_quick": True}


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[int]]:
    """Lets a look find something; counts the looks."""
    looks: list[int] = []

    def _found(**given: bool) -> list[int]:
        def _look() -> dict[str, bool]:
            looks.append(1)
            return {**ALL, **given}

        lately = Lately(_look, status.FRESH_SECONDS)
        monkeypatch.setattr(status, "_lately", lambda: lately)
        return looks

    return _found


@pytest.mark.parametrize(
    ("away", "said"),
    [
        ({}, "Everything works"),
        ({"is_quick": False}, "Answers are slow just now"),
        ({"engine": False}, "Something is down"),
        ({"storage": False}, "Something is down"),
        ({"database": False, "is_quick": False}, "Something is down"),
    ],
)
def test_it_says_what_a_person_notices_and_no_more(
    browser: Browser, found: Callable[..., list[int]], away: dict[str, bool], said: str
) -> None:
    found(**away)
    page = browser.read("/status").partition("<main")[2]
    assert said in page
    assert not {"database", "redis", "storage", "engine"} & set(page.lower().split())


def test_however_many_look_it_is_looked_up_once(
    browser: Browser, found: Callable[..., list[int]]
) -> None:
    looks = found()
    answers = [browser.get("/status") for _ in range(5)]
    assert len(looks) == 1
    assert answers[0].headers["Cache-Control"] == "public, max-age=10"


def test_the_real_look_is_that_of_ready(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "find", lambda: {key: True for key in ALL if key != "is_quick"})
    status._lately.cache_clear()  # pyright: ignore[reportPrivateUsage]
    assert "Everything works" in browser.read("/status")
