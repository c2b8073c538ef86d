"""A message that may cost more than its person lets one cost is asked about first."""

import re
from datetime import timedelta
from io import BytesIO

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from actions import offers, quotes
from actions.quotes import Draft
from gateways.s3_files import Storage
from models import ledger
from models.base import new_id, utc_now
from models.chat import conversations, pending_uploads
from models.ledger import CallCost, limits, usage
from models.ledger.limits import Limits
from models.schema.chat import Role
from models.schema.jobs import Job
from models.schema.model_calls import CallStatus
from models.schema.uploads import PendingUpload, SentFile, Upload
from models.schema.users import User
from settings import get_settings
from tasks import upkeep
from tests import factories
from tests.webapp.browser import Browser

CENT = 10_000
STAGED = re.compile(r'name="staged"\s+value="([^"]+)"')


@pytest.fixture(autouse=True)
def stored(storage: Storage) -> Storage:
    """The bucket, without what other tests left in it."""
    for key in storage.list("uploads/"):
        storage.delete(key)
    return storage


@pytest.fixture
def careful(db: Session, ada: User) -> User:
    """Ada, who is asked about everything above a cent."""
    limits.choose(db, ada.id, Limits(message_micros=CENT))
    db.commit()
    return ada


def sent(db: Session) -> list[Job]:
    return list(db.scalars(sa.select(Job).order_by(Job.id)))


def agreed(page: str) -> str:
    """What the button of the question agrees to."""
    found = re.search(r'name="agreed_micros"\s+value="(\d+)"', page)
    assert found
    return found[1]


def test_an_expensive_message_is_not_sent_at_once_and_its_words_stay(
    adas: Browser, careful: User, db: Session
) -> None:
    asked = adas.post("/chat", {"text": "What grows in shade?"})
    assert asked.status_code == 200
    assert "This may cost about" in asked.text
    assert "What grows in shade?</textarea>" in asked.text
    assert sent(db) == []
    assert conversations.list_own(db, careful.id) == []


def test_agreeing_sends_it_with_that_much_and_no_more(
    adas: Browser, careful: User, db: Session
) -> None:
    assert careful
    micros = agreed(adas.post("/chat", {"text": "What grows in shade?"}).text)
    answer = adas.post("/chat", {"text": "What grows in shade?", "agreed_micros": micros})
    assert answer.status_code == 303
    [job] = sent(db)
    assert job.cost_limit_micros == int(micros) > CENT


def test_htmx_is_asked_beside_the_form(adas: Browser, careful: User, db: Session) -> None:
    assert careful
    asked = adas.post_part("/chat", {"text": "What grows in shade?"})
    assert asked.status_code == 422
    assert asked.headers["HX-Retarget"] == "#composer-notice"
    micros = agreed(asked.text)
    assert adas.post_part("/chat", {"text": "Hm?", "agreed_micros": micros}).status_code == 200
    assert len(sent(db)) == 1


def test_a_usual_message_is_sent_at_once(adas: Browser, ada: User, db: Session) -> None:
    assert ada
    assert adas.post("/chat", {"text": "What grows in shade?"}).status_code == 303
    assert [job.cost_limit_micros for job in sent(db)] == [get_settings().message_limit_micros]


@pytest.mark.parametrize("given", ["1", "-5", "lots", ""])
def test_agreeing_to_less_than_the_quote_asks_again(
    adas: Browser, careful: User, db: Session, given: str
) -> None:
    assert careful
    assert "may cost" in adas.post("/chat", {"text": "Hm?", "agreed_micros": given}).text
    assert sent(db) == []


def test_nobody_can_agree_to_more_than_a_message_may_cost(
    adas: Browser, careful: User, db: Session
) -> None:
    assert careful
    adas.post("/chat", {"text": "Hm?", "agreed_micros": "999999999999"})
    [job] = sent(db)
    assert job.cost_limit_micros == get_settings().turn_max_cost_micros


def test_without_scripts_the_files_stay_too(
    adas: Browser, careful: User, db: Session, stored: Storage
) -> None:
    files = {"files": [(BytesIO(b"a,b\n"), "list.csv")]}
    asked = adas.post("/chat", {"text": "Sum it.", **files})
    assert "list.csv" in asked.text
    [kept] = STAGED.findall(asked.text)
    more = {"files": [(BytesIO(b"Hi."), "more.txt")]}
    asked = adas.post("/chat", {"text": "Sum it.", "staged": kept, **more})
    both = STAGED.findall(asked.text)
    assert len(both) == 2

    adas.post("/chat", {"text": "Sum it.", "staged": both, "agreed_micros": agreed(asked.text)})
    uploads = db.scalars(sa.select(Upload).order_by(Upload.id)).all()
    assert [upload.name for upload in uploads] == ["list.csv", "more.txt"]
    assert {upload.user_id for upload in uploads} == {careful.id}
    assert [stored.get(upload.storage_key) for upload in uploads] == [b"a,b\n", b"Hi."]
    assert db.scalars(sa.select(PendingUpload)).all() == []
    again = adas.post("/chat", {"text": "Sum it.", "staged": both, "agreed_micros": "99999"})
    assert again.status_code == 422
    assert "waited too long" in again.text
    assert stored.get(uploads[0].storage_key) == b"a,b\n"


def test_htmx_leaves_no_files_behind(adas: Browser, careful: User, stored: Storage) -> None:
    assert careful
    adas.post_part("/chat", {"text": "Sum it.", "files": [(BytesIO(b"a,b\n"), "list.csv")]})
    assert list(stored.list("uploads/")) == []


def test_nobody_sends_the_files_of_others(
    adas: Browser, eves: Browser, careful: User, db: Session
) -> None:
    assert careful
    asked = adas.post("/chat", {"text": "Mine.", "files": [(BytesIO(b"secret"), "my.txt")]})
    [kept] = STAGED.findall(asked.text)
    for given in (kept, str(new_id()), "nonsense"):
        refused = eves.post("/chat", {"text": "Give!", "staged": given})
        assert refused.status_code == 422
        assert "my.txt" not in refused.text
    assert sent(db) == []
    assert db.scalars(sa.select(PendingUpload.name)).all() == ["my.txt"]


def test_files_that_nobody_gave_the_word_for_go_after_a_day(
    adas: Browser, careful: User, db: Session, stored: Storage
) -> None:
    assert careful
    adas.post("/chat", {"text": "Sum it.", "files": [(BytesIO(b"a,b\n"), "list.csv")]})
    upkeep.forget_files()
    assert len(list(stored.list("uploads/"))) == 1
    db.execute(sa.update(PendingUpload).values(created_at=utc_now() - timedelta(hours=25)))
    db.commit()
    upkeep.forget_files()
    assert list(stored.list("uploads/")) == []
    assert pending_uploads.find_own(db, careful.id, ()) == []


def test_the_quote_grows_with_the_conversation_and_the_files(
    adas: Browser, ada: User, db: Session
) -> None:
    assert adas
    conversation = factories.conversation(db, ada)
    conversations.say(db, conversation, Role.USER, "x" * 300_000)
    picture = SentFile("a.png", "image/png", 5_000_000, "key")
    text = SentFile("a.txt", "text/plain", 5_000_000, "key")
    with adas.client.application.test_request_context():
        model = offers.find(factories.MODEL)
        bare = quotes.quote(db, model, None, Draft("Hm?"))
        assert bare < quotes.quote(db, model, None, Draft("Hm?", [picture] * 20))
        assert bare < quotes.quote(db, model, None, Draft("Hm?", [text]))
        longer = Draft("Hm?", thinks_longer=True)
        assert not model.thinks or bare < quotes.quote(db, model, None, longer)
        assert bare < quotes.quote(db, model, conversation.id, Draft("Hm?"))
        assert bare % CENT == 0


def test_what_was_answered_a_moment_ago_is_quoted_as_read(
    adas: Browser, ada: User, db: Session
) -> None:
    """The provider has it in its cache, unless that is some minutes ago."""
    job = factories.running(db, ada)
    call = factories.open_call(db, job, CENT)
    cost = CallCost(1_000, 100, 30_000, 9_000, CENT // 2, CENT, "test", is_estimated=False)
    ledger.close_call(db, call_id=call, status=CallStatus.COMPLETED, cost=cost)
    factories.answer(db, job)
    with adas.client.application.test_request_context():
        model = offers.find(factories.MODEL)
        warm = quotes.quote(db, model, job.conversation_id, Draft("Hm? " * 3_000))
        with time_machine.travel(utc_now() + timedelta(minutes=6), tick=False):
            cold = quotes.quote(db, model, job.conversation_id, Draft("Hm? " * 3_000))
        assert warm < cold
        assert usage.latest_call(db, job.conversation_id).tokens_in == 40_000  # pyright: ignore[reportOptionalMemberAccess]
        assert usage.latest_call(db, factories.conversation(db, ada).id) is None


def test_only_the_latest_messages_are_counted(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    for _ in range(conversations.LATEST + 50):
        conversations.say(db, conversation, Role.USER, "x" * 10)
    assert conversations.text_bytes(db, conversation.id) == 10 * conversations.LATEST
