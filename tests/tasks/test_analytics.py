"""Steps of users go to the analytics service once, as codes, and nowhere without a key."""

import json
from collections.abc import Callable, Generator

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gateways import posthog
from models.base import utc_now
from models.ops import product_events
from models.schema.product_events import ProductEvent
from tasks import analytics
from tests import factories
from tests.transcriber import Reply, Transcriber, served_transcriber


@pytest.fixture
def service(adjust: Callable[..., None]) -> Generator[Transcriber]:
    """A server in PostHog's place, and its key."""
    with served_transcriber() as running:
        running.answers(Reply({"status": 1}))
        adjust(POSTHOG_KEY="phc_test", POSTHOG_URL=running.url, POSTHOG_TIMEOUT_SECONDS="1")
        yield running


@pytest.fixture
def steps(emptied: sa.Engine) -> sa.Engine:
    """Grace has signed up and introduced herself."""
    with Session(emptied) as db, db.begin():
        factories.user(db, "grace@example.org", name="Grace Hopper")
    with Session(emptied) as db, db.begin():
        assert product_events.gather(db, utc_now())
    return emptied


def left(engine: sa.Engine) -> int:
    with Session(engine) as db:
        new = sa.select(sa.func.count(ProductEvent.id)).where(ProductEvent.forwarded_at.is_(None))
        return db.scalar(new) or 0


def test_steps_are_handed_on_once_and_say_nothing_of_who_it_is(
    service: Transcriber, steps: sa.Engine
) -> None:
    assert analytics.forward() == 2
    assert analytics.forward() == 0
    (asked,) = service.asked
    assert asked.path == "/batch/"
    sent = json.loads(asked.body)
    assert sent["api_key"] == "phc_test"
    assert sorted(one["event"] for one in sent["batch"]) == ["onboarded", "signed_up"]
    with Session(steps) as db:
        ids = set(map(str, db.scalars(sa.select(ProductEvent.user_id))))
    assert {one["distinct_id"] for one in sent["batch"]}.isdisjoint(ids)
    for words in ("Grace", "grace", "garden"):
        assert words not in asked.body.decode()


@pytest.mark.parametrize(
    "reply",
    [
        Reply({}, status=500),
        Reply({}, status=302, headers=(("Location", "/elsewhere"),)),
        Reply({}, after_seconds=1.5),
        Reply(b"x" * 2 * posthog.ANSWER_BYTES),
    ],
    ids=["fails", "leads elsewhere", "is slow", "is large"],
)
def test_what_was_not_taken_is_sent_again(
    service: Transcriber, steps: sa.Engine, reply: Reply
) -> None:
    service.answers(reply, Reply({"status": 1}))
    assert analytics.forward() == 0
    assert left(steps) == 2
    assert analytics.forward() == 2
    first, second = (json.loads(asked.body)["batch"] for asked in service.asked)
    assert first == second


def test_without_a_key_nothing_leaves_the_house(steps: sa.Engine) -> None:
    assert analytics.forward() == 0
    assert left(steps) == 2
