"""Switches and pauses: what admins change while the product runs, and what users see of it."""

from collections.abc import Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import offers
from models.ops import switches
from models.ops.switches import Pause, PauseScope, SignUpRule
from models.people import sign_ups
from models.schema.jobs import Job
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.webapp.browser import Browser

CLOSED = "The kitchen is closed."
SAME = uuid4()


def form(**given: str) -> dict[str, str]:
    """What the page sends, all as it was but what is given."""
    filled = {"sign_up": "open", "version": "0", "reason": "Agreed.", "confirmed": "yes"}
    return {**filled, "key": str(uuid4()), **given}


def test_a_switch_counts_at_once_and_only_over_what_was_shown(
    olgas: Browser, db: Session, ada: User
) -> None:
    given = form(sign_up="closed", margin="45", free_credit="2.50", network_grants="0")
    for _ in range(2):
        assert olgas.post("/admin/switches", given).status_code == 303
    found = switches.latest(db)
    assert found.version == 1
    assert found.switches.sign_up is SignUpRule.CLOSED
    assert found.switches.margin_percent == 45
    assert found.switches.sign_up_grant_micros == 2_500_000
    assert found.switches.free_grants_per_network == 0
    assert olgas.post("/admin/switches", form(margin="31")).status_code == 422
    page = olgas.read("/admin/switches")
    for words in ("Version 1", "Agreed.", 'value="45"', 'value="2.50"'):
        assert words in page
    assert "margin: – → 45" in olgas.read("/admin/log")


@pytest.mark.parametrize(
    "wrong",
    [
        {"margin": "29"},
        {"margin": "51"},
        {"margin": "forty"},
        {"free_credit": "20.01"},
        {"sign_up": "maybe"},
        {"network_requests": "0"},
        {"off": "demo/demo"},
        {"default_model": "openai/none"},
        {"reason": ""},
        {"confirmed": ""},
        {"key": "1"},
    ],
)
def test_what_does_not_fit_is_refused(
    olgas: Browser, db: Session, wrong: dict[str, str], adjust: Callable[..., None]
) -> None:
    adjust(DEMO_MODEL_URL="http://nowhere")
    assert olgas.post("/admin/switches", form(**wrong)).status_code == 422
    assert switches.latest(db).version == 0


def test_an_announcement_stands_above_every_page(
    olgas: Browser, browser: Browser, adas: Browser
) -> None:
    kept = adas.get("/chat/new").headers["ETag"]
    olgas.post("/admin/switches", form(announcement="Tonight <b>we</b> move."))
    for page in (adas.read("/settings"), browser.read("/login")):
        assert "Tonight <b>we</b> move." in page
    assert "<b>we</b>" not in adas.get("/settings").text
    assert adas.get("/chat/new", headers={"If-None-Match": kept}).status_code == 200


def test_in_maintenance_pages_are_read_and_nothing_is_sent(
    olgas: Browser, adas: Browser, ada: User, db: Session
) -> None:
    olgas.post("/admin/switches", form(maintenance="yes", maintenance_sentence=CLOSED))
    assert CLOSED in adas.read("/settings")
    answer = adas.post_part("/chat", {"text": "Hello?"})
    assert answer.status_code == 422
    assert CLOSED in answer.text
    assert db.scalar(sa.select(sa.func.count()).select_from(Job)) == 0
    olgas.post("/admin/switches", form(version="1"))
    assert adas.post("/chat", {"text": "Hello?"}).status_code == 303


def test_prices_and_the_free_credit_follow(
    olgas: Browser, browser: Browser, db: Session, adjust: Callable[..., None], settings: Settings
) -> None:
    adjust(DEMO_MODEL_URL="http://nowhere")
    before = offers.listed()[0].message_micros
    olgas.post("/admin/switches", form(margin="50", free_credit="3"))
    assert offers.listed()[0].message_micros == pytest.approx(before * 0.6 / 0.5, abs=2)
    assert "50 ¢" in browser.read("/")
    assert "$3.00" in browser.read("/signup")
    grace = sign_ups.at_once(db, "grace@example.org", factories.PASSWORD)
    assert grace.credits_balance_micros == 3_000_000


def test_a_model_that_is_off_is_offered_to_nobody(
    olgas: Browser, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(
        DEMO_MODEL_URL="http://nowhere",
        COMPATIBLE_BASE_URL="http://nowhere",
        COMPATIBLE_MODELS='["llama"]',
        PRICE_OVERRIDES='{"compatible/llama": {"input": 1, "output": 1}}',
    )
    assert offers.current(ada).id == "compatible/llama"
    olgas.post("/admin/switches", form(default_model="demo/demo"))
    assert offers.current(ada).id == "demo/demo"
    olgas.post("/admin/switches", form(off="compatible/llama", version="1"))
    with pytest.raises(offers.NotOffered):
        offers.find("compatible/llama")


def test_a_pause_is_read_in_the_chat_and_ends(
    olgas: Browser, sams: Browser, adas: Browser, ada: User, db: Session
) -> None:
    job = factories.job(db, ada)
    db.commit()
    given = {"scope": "channel:web", "sentence": CLOSED, "reason": "An outage", "confirmed": "yes"}
    for _ in range(2):
        assert sams.post("/admin/queue/pauses", {**given, "key": str(SAME)}).status_code == 303
    assert switches.latest(db).switches.pauses == (
        Pause(scope=PauseScope.CHANNEL, name="web", sentence=CLOSED),
    )
    assert factories.claim(db) is None
    assert CLOSED in adas.read(f"/chat/{job.conversation_id}")
    assert CLOSED in olgas.read("/admin/queue")
    sams.post("/admin/queue/pauses/end", {**given, "key": str(uuid4())})
    assert CLOSED not in adas.read(f"/chat/{job.conversation_id}")
    assert factories.claim(db)
    for path in ("/admin/queue/pauses", "/admin/queue/pauses/end"):
        refused = sams.post(path, {**given, "scope": "channel:fax", "key": str(uuid4())})
        assert refused.status_code == 422
