"""A short run of the fuzzer: the long one is `make fuzz`. And that it finds what it looks for."""

import json
from collections.abc import Generator, Mapping
from dataclasses import asdict

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.fuzz import world
from tests.fuzz.bodies import BOUNDARY, multipart, urlencoded
from tests.fuzz.fields import Finder, Place, Visitor
from tests.fuzz.requests import Draw
from tests.fuzz.run import Fuzz
from tests.fuzz.site import Site, front
from tests.fuzz.world import CANARY, Role, World
from tests.webapp.browser import Browser

SEED, COUNT = 7, 5_000


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Generator[Site]:
    """The website as a process of its own."""
    with front(tmp_path_factory.mktemp("fuzz"), is_kept=False) as running:
        yield running


@pytest.mark.timeout(900)
@pytest.mark.xdist_group("house")
def test_the_site_bears_whatever_it_is_sent(site: Site) -> None:
    report = Fuzz(site, SEED, COUNT, print).run()

    assert {kind: found for kind, found in report.findings.items() if found} == {}
    # It went in everywhere: pages were shown, forms taken and refused, doors found closed.
    answered = json.loads(json.dumps(asdict(report)))["statuses"]
    assert all(answered[status] > COUNT // 200 for status in ("200", "303", "404", "405", "422"))


@pytest.fixture
def places(app: Flask, visitors: Mapping[Role, Visitor], people: World, db: Session) -> list[Place]:
    return Finder(app, visitors, people, db.connection()).find()


def test_a_seed_sends_the_same_again_and_everybody_asks_for_what_is_adas(
    places: list[Place], people: World
) -> None:
    def _drawn(seed: int) -> list[tuple[str, str, str, bytes]]:
        draw = Draw(seed, places, people, "whsec_x")
        return [(one.role, one.method, one.path, one.body) for one in draw.requests(300)]

    assert _drawn(3) != _drawn(4)
    # But for ids and times that are made when they are drawn.
    same = [one == other for one, other in zip(_drawn(3), _drawn(3), strict=True)]
    assert sum(same) > 250

    drawn = Draw(3, places, people, "whsec_x").requests(5_000)
    by_eve = [one.path for one in drawn if one.about == "Ada's" and one.role == "eve"]
    for name, own in people.adas.items():
        assert any(str(own) in path for path in by_eve), name


# A browser that shows notifications does so for a login.
ENDS_WITH_A_SESSION = {"push_subscriptions"}


def test_a_change_of_what_is_adas_is_noticed(people: World, db: Session) -> None:
    before = world.what_is_adas(db, people)
    changes = {
        "messages": "UPDATE messages SET text = 'x' WHERE user_id = :ada",
        "payments": "UPDATE payments SET amount_micros = 20000 WHERE user_id = :ada",
        "users": "UPDATE users SET needs = 'x' WHERE id = :ada",
        "user_sessions": "DELETE FROM user_sessions WHERE user_id = :ada",
    }
    for table, change in changes.items():
        with db.begin_nested() as undone:
            db.execute(sa.text(change), {"ada": people.ada})
            now = world.what_is_adas(db, people)
            changed = {name for name in now if now[name] != before[name]}
            assert changed - ENDS_WITH_A_SESSION == {table}
            undone.rollback()


def test_what_is_adas_has_a_canary(app: Flask, people: World) -> None:
    adas = Browser(app)
    assert adas.log_in(world.ADA).status_code == 303
    for path in ("/settings", "/conversations", f"/chat/{people.adas['conversation_id']}"):
        assert CANARY in adas.read(path), path


def test_bodies_are_written_as_they_are() -> None:
    assert urlencoded([("a b", "\ud800&"), ("a", "é")]) == "a+b=%ED%A0%80%26&a=%C3%A9"
    body = multipart([("a", "b")], [("files", 'x"\n.txt', b"\x00")])
    assert body.count(BOUNDARY.encode()) == 3
    assert b'filename="x%22%0A.txt"\r\n\r\n\x00\r\n' in body
