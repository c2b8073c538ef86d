"""Sending through a channel that is not the website: the same rules, to the letter."""

from collections.abc import Callable, Generator
from dataclasses import replace
from html import unescape
from io import BytesIO
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import answers, sending, wakeups
from actions.attachments import IncomingFile
from actions.offers import NotOffered
from actions.quotes import CostConfirmationRequired
from actions.sending import Incoming, Sent, sent_key_of
from actions.sentences.refusals import sentence_of
from gateways.event_streams import Streams
from gateways.live_events import JobEnded, JobQueued, LiveEvent
from gateways.s3_files import Storage
from gateways.wake_queue import WakeQueue
from models import jobs, ledger
from models.base import new_id
from models.chat import conversations
from models.errors import NotFound, Refused
from models.jobs.enqueue import MESSAGE_MAX_LENGTH
from models.ledger import limits
from models.ledger.limits import Limits
from models.people import users
from models.schema.chat import Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import JobStatus
from models.schema.ledger import FreezeReason
from models.schema.uploads import PendingUpload, Upload
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.factories import MODEL
from tests.webapp.browser import Browser
from webapp import create_app
from webapp.core import security

CENT = 10_000
WORDS = "What grows in shade?"
PLAIN = Incoming("")


class Feed:
    """Publishes where the pages of the website listen."""

    def __init__(self, redis_url: str) -> None:
        self._streams = Streams(redis_url)

    def announce(self, conversation_id: UUID, job_id: UUID, event: LiveEvent) -> None:
        self._streams.append(conversation_id, job_id, 0, event)

    def told(self, job_id: UUID) -> list[LiveEvent]:
        return [event.payload for event in self._streams.read(job_id)]


class Telegraph:
    """A channel: a telegram has a number, the address of its sender, and words."""

    def __init__(self, db: Session, feed: Feed) -> None:
        self.db = db
        self.feed = feed

    def receive(self, number: str, address: str, words: str, rest: Incoming = PLAIN) -> Sent:
        """Take a telegram in; `rest` is what else its sender gave."""
        user_id = users.find_id(self.db, address)
        sender = self.db.get_one(User, user_id)
        key = sent_key_of("telegraph", number)
        incoming = replace(rest, text=words, sent_key=key, channel="telegraph")
        sent = sending.send(self.db, sender, incoming, self.feed)
        self.db.commit()
        return sent


@pytest.fixture
def feed(redis_url: str) -> Feed:
    return Feed(redis_url)


@pytest.fixture
def telegraph(db: Session, ada: User, eve: User, feed: Feed) -> Telegraph:
    assert ada
    assert eve
    db.commit()
    return Telegraph(db, feed)


@pytest.fixture
def adas(settings: Settings, db: Session, ada: User, redis_url: str) -> Generator[Browser]:
    """Ada's browser on the website, beside the telegraph."""
    assert redis_url
    db.commit()
    # All sites share one limiter: a site that is built takes it along.
    before = dict(vars(security.limiter))
    app = create_app(settings)
    opened = Browser(app)
    opened.log_in(ada.email)
    yield opened
    app.extensions["hub"].close()
    vars(security.limiter).update(before)


def messages(db: Session) -> list[str]:
    return list(db.scalars(sa.select(Message.text).order_by(Message.id)))


def test_a_telegram_becomes_a_message_and_a_job(
    telegraph: Telegraph, db: Session, ada: User, redis_url: str
) -> None:
    sent = telegraph.receive("1", ada.email, WORDS)
    assert sent.is_new
    assert messages(db) == [WORDS]
    assert (sent.job.status, sent.job.user_id, sent.job.model) == ("pending", ada.id, MODEL)
    assert [one.id for one in conversations.list_own(db, ada.id)] == [sent.conversation.id]
    assert WakeQueue(redis_url).heard(wakeups.ALL_WORKERS, 10)

    further = telegraph.receive(
        "2", ada.email, "More?", Incoming("", conversation_id=sent.conversation.id)
    )
    assert further.conversation.id == sent.conversation.id


def test_a_telegram_that_is_delivered_twice_is_one_message(
    telegraph: Telegraph, db: Session, ada: User, eve: User, feed: Feed
) -> None:
    first = telegraph.receive("1", ada.email, WORDS)
    again = telegraph.receive("1", ada.email, WORDS)
    assert (again.job.id, again.conversation.id) == (first.job.id, first.conversation.id)
    assert not again.is_new
    assert len(conversations.list_own(db, ada.id)) == 1
    assert feed.told(first.job.id) == [JobQueued()]

    # A number is only its sender's, and its channel's.
    assert telegraph.receive("1", eve.email, WORDS).is_new
    assert sent_key_of("telegraph", "1") == sent_key_of("telegraph", "1")
    assert sent_key_of("telegraph", "1") != sent_key_of("pigeon", "1")


def test_what_came_before_is_found_though_the_lane_is_full(
    telegraph: Telegraph, db: Session, ada: User, settings: Settings
) -> None:
    for _ in range(settings.max_waiting_jobs_per_user - 1):
        factories.job(db, ada)
    first = telegraph.receive("1", ada.email, WORDS)
    assert telegraph.receive("1", ada.email, WORDS).job.id == first.job.id
    with pytest.raises(jobs.TooManyWaiting):
        telegraph.receive("2", ada.email, WORDS)


def test_the_website_and_a_channel_share_a_conversation(
    telegraph: Telegraph, adas: Browser, ada: User
) -> None:
    sent = telegraph.receive("1", ada.email, WORDS)
    path = f"/chat/{sent.conversation.id}"
    assert WORDS in adas.read(path)
    assert adas.post(f"{path}/messages", {"text": "And in the sun?"}).location == path


def _nothing(*_: object) -> None:
    pass


def _full_lane(db: Session, ada: User, settings: Settings) -> None:
    for _ in range(settings.max_waiting_jobs_per_user):
        factories.job(db, ada)


def _frozen(_: Session, ada: User, __: Settings) -> None:
    ledger.freeze(ada, FreezeReason.DISPUTE)


def _spent(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.charge(db, job, ada.credits_balance_micros)
    factories.answer(db, job)


def _day_spent(db: Session, ada: User, _: Settings) -> None:
    job = factories.running(db, ada)
    factories.charge(db, job, CENT)
    factories.answer(db, job)
    limits.choose(db, ada.id, Limits(day_micros=CENT))


Arrange = Callable[[Session, User, Settings], None]
REFUSALS: list[tuple[Arrange, str, str]] = [
    (_nothing, "  ", "nothing_to_send"),
    (_nothing, "x" * (MESSAGE_MAX_LENGTH + 1), "message_too_long"),
    (_full_lane, WORDS, "too_many_waiting"),
    (_frozen, WORDS, "spending_frozen"),
    (_day_spent, WORDS, "day_limit_reached"),
]


def refused_alike(telegraph: Telegraph, adas: Browser, ada: User, words: str) -> str:
    """Send by telegraph and by the website; return the code with which both were refused."""
    before = messages(telegraph.db)
    with pytest.raises(Refused) as refusal:
        telegraph.receive("1", ada.email, words)
    telegraph.db.commit()
    page = adas.post_part("/chat", {"text": words})
    assert page.status_code == 422
    assert sentence_of(refusal.value) in unescape(page.text)
    assert messages(telegraph.db) == before
    return refusal.value.code


@pytest.mark.parametrize(("arrange", "words", "code"), REFUSALS, ids=[one[2] for one in REFUSALS])
def test_a_channel_is_refused_what_the_website_is(
    telegraph: Telegraph,
    adas: Browser,
    ada: User,
    db: Session,
    settings: Settings,
    arrange: Arrange,
    words: str,
    code: str,
) -> None:
    arrange(db, ada, settings)
    db.commit()
    assert refused_alike(telegraph, adas, ada, words) == code


@pytest.mark.usefixtures("verifying")
def test_who_has_neither_credit_nor_a_verified_address_is_refused_alike(
    telegraph: Telegraph, adas: Browser, ada: User
) -> None:
    # Those credits come with the verified address.
    assert ada.credits_available_micros <= 0
    assert refused_alike(telegraph, adas, ada, WORDS) == "address_not_verified"


def test_out_of_credit_a_telegram_waits_as_on_the_website(
    telegraph: Telegraph, adas: Browser, ada: User, db: Session
) -> None:
    _spent(db, ada)
    db.commit()
    assert telegraph.receive("1", ada.email, WORDS).job.status is JobStatus.PAUSED
    assert 'data-state="paused"' in adas.post_part("/chat", {"text": WORDS}).text


def test_the_quote_is_asked_first_and_agreeing_sends(
    telegraph: Telegraph, adas: Browser, ada: User, db: Session
) -> None:
    limits.choose(db, ada.id, Limits(message_micros=CENT))
    db.commit()
    with pytest.raises(CostConfirmationRequired) as question:
        telegraph.receive("1", ada.email, WORDS)
    quote = question.value.quote_micros
    assert messages(db) == []
    assert f'value="{quote}"' in adas.post_part("/chat", {"text": WORDS}).text

    sent = telegraph.receive("1", ada.email, WORDS, Incoming("", agreed_micros=quote))
    assert sent.is_new
    assert sent.job.cost_limit_micros == quote > CENT


def test_files_wait_for_the_word_that_they_may_cost_so_much(
    telegraph: Telegraph, ada: User, db: Session, storage: Storage
) -> None:
    limits.choose(db, ada.id, Limits(message_micros=CENT))
    db.commit()
    files = [IncomingFile("list.csv", BytesIO(b"a,b\n"))]
    with pytest.raises(CostConfirmationRequired) as question:
        telegraph.receive("1", ada.email, WORDS, Incoming("", files=files))
    db.commit()
    [waiting] = question.value.staged
    assert storage.get(waiting.storage_key) == b"a,b\n"

    agreed = question.value.quote_micros
    yes = Incoming("", staged_ids=frozenset({waiting.id}), agreed_micros=agreed)
    sent = telegraph.receive("1", ada.email, WORDS, yes)
    assert db.scalars(sa.select(Upload.name)).all() == ["list.csv"]
    assert db.scalars(sa.select(PendingUpload)).all() == []
    # Whoever presses twice has sent it once, though the files wait no more.
    again = telegraph.receive("1", ada.email, WORDS, yes)
    assert (again.job.id, again.is_new) == (sent.job.id, False)


def test_a_telegram_may_name_a_model_that_is_offered(telegraph: Telegraph, ada: User) -> None:
    assert telegraph.receive("1", ada.email, WORDS, Incoming("", model=MODEL)).job.model == MODEL
    with pytest.raises(NotOffered):
        telegraph.receive("2", ada.email, WORDS, Incoming("", model="demo/none"))


def test_pages_hear_of_it_after_the_commit(
    telegraph: Telegraph, ada: User, db: Session, feed: Feed
) -> None:
    sent = sending.send(db, ada, Incoming(WORDS), feed)
    assert feed.told(sent.job.id) == []
    db.commit()
    assert feed.told(sent.job.id) == [JobQueued()]
    db.commit()
    assert feed.told(sent.job.id) == [JobQueued()]


def test_nobody_hears_of_what_was_rolled_back(
    telegraph: Telegraph, ada: User, db: Session, feed: Feed, redis_url: str
) -> None:
    job_id = sending.send(db, ada, Incoming(WORDS), feed).job.id
    db.rollback()
    db.commit()
    assert feed.told(job_id) == []
    assert messages(db) == []
    assert not WakeQueue(redis_url).heard(wakeups.ALL_WORKERS, 1)


def test_nobody_sends_or_acts_in_what_is_anothers(
    telegraph: Telegraph, ada: User, eve: User, db: Session, feed: Feed
) -> None:
    sent = telegraph.receive("1", ada.email, WORDS)
    for conversation_id in (sent.conversation.id, new_id()):
        with pytest.raises(NotFound):
            telegraph.receive(
                "2", eve.email, "Hello?", Incoming("", conversation_id=conversation_id)
            )
    for act in (answers.stop, answers.retry, answers.go_on):
        with pytest.raises(NotFound):
            act(db, eve, sent.job.id, feed)
    assert messages(db) == [WORDS]


def test_a_channel_stops_and_asks_again(
    telegraph: Telegraph, ada: User, db: Session, feed: Feed
) -> None:
    sent = telegraph.receive("1", ada.email, WORDS)
    answers.stop(db, ada, sent.job.id, feed)
    assert feed.told(sent.job.id) == [JobQueued()]
    db.commit()
    assert feed.told(sent.job.id) == [JobQueued(), JobEnded("cancelled")]

    again = answers.retry(db, ada, sent.job.id, feed)
    db.commit()
    assert feed.told(again.id) == [JobQueued()]
    with pytest.raises(jobs.AlreadyAnswered):
        answers.retry(db, ada, sent.job.id, feed)


def test_a_channel_lets_a_message_at_its_limit_go_on(
    telegraph: Telegraph, ada: User, db: Session, feed: Feed
) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.MESSAGE_LIMIT)
    further = answers.go_on(db, ada, job.id, feed)
    db.commit()
    assert further.cost_limit_micros == jobs.further_allowance(job)
    assert feed.told(further.id) == [JobQueued()]
