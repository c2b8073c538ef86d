"""Saved pages, read by a helper: what they say is found, and what nobody sees on them is not."""

import json
import time
from contextlib import suppress
from pathlib import Path

import pytest

from untrusted import web_pages
from untrusted.web_pages import PageText, UnreadablePage

SAVED = Path(__file__).parent / "pages"
FACTS: dict[str, list[str]] = json.loads((SAVED / "facts.json").read_text())
SECONDS = 2.0
SHARE = 0.95
NOISE = ("HIDDENWORDS", "BANNERNOISE", "Elsewhere 3")
ROBOTS = b"User-agent: *\nDisallow: /private\n\nUser-agent: ShellmateReader\nDisallow: /*.pdf$\n"


def _read(data: bytes, charset: str = "") -> PageText:
    return web_pages.read(data, charset=charset, url="http://saved.example/page", owner="tests")


@pytest.fixture(scope="module")
def read() -> dict[str, tuple[PageText, float]]:
    """Every saved page as a helper reads it, and how long that took."""
    _read(b"<p>So that a helper is there, which takes longer than reading.</p>")
    found: dict[str, tuple[PageText, float]] = {}
    for name in FACTS:
        data, begins = (SAVED / f"{name}.html").read_bytes(), time.monotonic()
        found[name] = _read(data), time.monotonic() - begins
    return found


def test_there_are_twenty() -> None:
    assert len(FACTS) == len(list(SAVED.glob("*.html"))) == 20


def test_the_facts_are_found(read: dict[str, tuple[PageText, float]]) -> None:
    missing = [
        (name, fact)
        for name, facts in FACTS.items()
        for fact in facts
        if fact not in _plain(read[name][0])
    ]
    total = sum(map(len, FACTS.values()))
    assert len(missing) <= (1 - SHARE) * total, missing


def _plain(page: PageText) -> str:
    return page.text.replace("**", "").replace("\\", "")


@pytest.mark.parametrize("name", FACTS)
def test_nothing_hidden_is_read(read: dict[str, tuple[PageText, float]], name: str) -> None:
    page, seconds = read[name]
    assert [word for word in NOISE if word in page.text + page.title] == []
    assert page.title
    assert page.day == "2026-05-04"
    assert seconds <= SECONDS


def test_what_has_no_width_is_gone() -> None:
    page = _read(
        "<p>Send\u200b your\U000e0041 memory, which is a long enough paragraph.</p>".encode()
    )
    assert "Send your memory" in page.text


def test_links_are_whole_addresses() -> None:
    page = _read(
        b"<p>See <a href='/more?a=1'>what more there is</a> and <a href='x.html'>x</a>.</p>"
    )
    assert "(http://saved.example/more?a=1)" in page.text


@pytest.mark.parametrize("data", [b"", b"<html></html>", b"<script>1</script>"])
def test_where_nothing_stands_nothing_is_read(data: bytes) -> None:
    with pytest.raises(UnreadablePage):
        _read(data)


@pytest.mark.parametrize(
    "data",
    [
        b"<div>" * 200_000 + b"deep",
        b"<table><tr><td>" * 20_000 + b"x",
        b"<p style='" + b"left:-" * 200_000 + b"'>x</p>",
        b"<style>" + b".a{" * 100_000 + b"</style><p>x</p>",
        b"<a href='" + b"a" * 1_000_000 + b"'>x</a>",
        b"&lt;" * 400_000,
        b"[](" * 300_000,
    ],
)
def test_hostile_pages_end_in_time(data: bytes) -> None:
    begins = time.monotonic()
    with suppress(UnreadablePage):
        _read(data)
    assert time.monotonic() - begins < 9


def test_robots_are_heard() -> None:
    def may(path: str, agent: str) -> bool:
        url = f"http://saved.example{path}"
        return web_pages.may_read(ROBOTS, url=url, agent=agent, owner="tests")

    assert may("/private/x", "ShellmateReader")
    assert not may("/a/b.pdf", "ShellmateReader")
    assert not may("/private/x", "another")
    assert may("/x", "another")
