"""The live stream: whatever is cut, lost or begun anew, the answer is shown exactly once."""

import random
import re
import threading
from collections.abc import Callable, Generator
from typing import Any, cast
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from gateways.event_streams import Streams
from gateways.live_events import (
    AttemptBegan,
    JobEnded,
    JobQueued,
    LiveEvent,
    MessageAdded,
    RetryScheduled,
    TextAdded,
    ThoughtShown,
    ToolUsed,
)
from gateways.partial_answer import replay
from models import database, jobs
from models.base import new_id
from models.chat import conversations
from models.database import unit_of_work
from models.jobs import rewriting
from models.schema.chat import Role
from models.schema.jobs import Job
from models.schema.sessions import UserSession
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.factories import LEASE, MODEL
from tests.webapp.browser import Browser
from tests.webapp.stream import Screen, Shown, Stream, as_it_matters
from untrusted import rendering
from untrusted.helper import Failed
from untrusted.inside import markdown
from webapp import create_app
from webapp.chat import event_stream, growing_answer, updates, viewer
from webapp.chat.frames import Cursor
from webapp.core.live import Hub

ANSWER = (
    "First the **plan**.\n\n- water\n- weed\n\n```python\nx = 1\n\ny = 2\n```\n\n"
    "| a | b |\n|---|---|\n| 1 | 2 |\n\nThat is all, Ada & <friends>.\n"
)
CURSOR = re.compile(r'data-cursor="([^"]+)"')


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look and beat so often that no test waits for it."""
    monkeypatch.setattr(event_stream, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(event_stream, "HEARTBEAT_SECONDS", 0.2)
    monkeypatch.setattr(growing_answer, "INTERVAL_SECONDS", 0.02)


@pytest.fixture
def hub(app: Flask) -> Generator[Hub]:
    """The hub of the site under test; its reader ends with the test."""
    hub: Hub = app.extensions["hub"]
    yield hub
    hub.close()


class FakeWorker:
    """Runs a job as far as events and rows go, and tells its words in small pieces."""

    def __init__(self, db: Session, hub: Hub, job: Job) -> None:
        self.db, self.hub, self.job = db, hub, job
        self.said = ""

    def publish(self, event: LiveEvent) -> None:
        job = self.job
        self.hub.streams.append(job.conversation_id, job.id, job.attempt, event)

    def claim(self) -> None:
        claimed = factories.claim(self.db)
        assert claimed is not None
        self.job, self.said = claimed, ""
        self.db.commit()
        self.publish(AttemptBegan())

    def say(self, words: str) -> None:
        self.publish(TextAdded(len(self.said), words))
        self.said += words

    def finish(self) -> None:
        factories.answer(self.db, self.job, self.said, markdown.render(self.said))
        self.db.commit()
        self.publish(JobEnded("completed"))

    def requeue(self) -> None:
        jobs.requeue(self.db, self.job, wait=LEASE * 0)
        self.db.commit()
        self.publish(RetryScheduled())
        self.said = ""


@pytest.fixture
def asked(db: Session, ada: User) -> Job:
    job = factories.job(db, ada, "What shall I do?")
    db.commit()
    return job


@pytest.fixture
def worker(db: Session, hub: Hub, asked: Job) -> FakeWorker:
    return FakeWorker(db, hub, asked)


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def follow(adas: Browser, asked: Job, hub: Hub, screen: Screen) -> Callable[[], Stream]:
    """Opens Ada's stream, on from what her screen has seen."""
    assert hub
    path = f"/chat/{asked.conversation_id}/events"
    return lambda: Stream(adas, path, screen)


def pieces(text: str) -> list[str]:
    return [text[at : at + 5] for at in range(0, len(text), 5)]


def shown(screen: Screen, job: Job) -> Shown:
    return screen.jobs[str(job.id)]


def empty(hub: Hub) -> None:
    """Lose all that Valkey knows; what is told next has a later id, as ids begin with the time."""
    client = cast(Any, hub.streams.client)
    client.flushdb()
    began = milliseconds(client)
    while milliseconds(client) == began:
        pass


def milliseconds(client: Any) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def told(hub: Hub, job: Job) -> str:
    """Render all that was told of a job, at once."""
    whole = replay(hub.told(job.id))
    made = growing_answer.render(job.id, whole.attempt, 0, whole.text)
    return as_it_matters(made.html + made.tail)


def test_it_works(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    with follow() as stream:
        stream.until("exchange")
        assert shown(screen, asked).state == "queued"
        worker.claim()
        stream.until("exchange")
        assert shown(screen, asked).state == "working"
        worker.publish(ToolUsed("search_history"))
        stream.until("tool")
        assert shown(screen, asked).inside == "Searching what you said"
        worker.publish(ThoughtShown("Weighing <it> up"))
        stream.until("thought")
        assert shown(screen, asked).inside == "Weighing <it> up"
        worker.say("Hello, Ada.")
        stream.until("text")
        assert shown(screen, asked).tail == "Hello, Ada."
        worker.finish()
        drawn = stream.until("exchange")
        assert "<p>Hello, Ada.</p>" in drawn
        assert 'id="credits"' in drawn
        assert shown(screen, asked).state == "sent"


@pytest.mark.parametrize("seed", range(12))
def test_cut_anywhere_and_resumed_it_shows_the_text_exactly_once(
    seed: int,
    follow: Callable[[], Stream],
    worker: FakeWorker,
    screen: Screen,
    asked: Job,
    hub: Hub,
) -> None:
    chance = random.Random(seed)
    worker.claim()
    stream = follow()
    for piece in pieces(ANSWER):
        worker.say(piece)
        if chance.random() < 0.3:
            stream.answer.close()
            stream = follow()
        for _ in range(chance.randrange(3)):
            stream.next()
    while shown(screen, asked).whole != told(hub, asked):
        stream.next()
    stream.until("beat")
    assert shown(screen, asked).whole == told(hub, asked)
    worker.finish()
    assert markdown.render(ANSWER) in stream.until("exchange")
    stream.answer.close()


def test_who_asks_now_and_then_misses_and_doubles_nothing(
    adas: Browser, worker: FakeWorker, screen: Screen, asked: Job, hub: Hub
) -> None:
    worker.claim()
    path = f"/chat/{asked.conversation_id}/events?once=1"
    for piece in pieces(ANSWER):
        worker.say(piece)
        assert Stream(adas, path, screen).ends()
        assert shown(screen, asked).whole == told(hub, asked)
    worker.finish()
    assert Stream(adas, path, screen).ends()
    assert shown(screen, asked).state == "sent"


def test_who_asks_and_is_not_logged_in_any_more_is_told_so(
    browser: Browser, asked: Job, hub: Hub
) -> None:
    assert hub
    headers = {"Accept": "text/event-stream"}
    answer = browser.get(f"/chat/{asked.conversation_id}/events?once=1", headers=headers)
    assert answer.status_code == 401


def test_a_message_that_was_deleted_meanwhile_is_told_of_once(
    adas: Browser, ada: User, db: Session, hub: Hub, screen: Screen
) -> None:
    assert hub
    job = factories.running(db, ada)
    factories.answer(db, job, "Secret!", "<p>Secret!</p>")
    db.commit()
    path = f"/chat/{job.conversation_id}"
    events = f"{path}/events?once=1"
    assert Stream(adas, events, screen).ends()
    assert str(job.id) in screen.jobs
    adas.post(f"{path}/messages/{job.message_id}/deletion")
    assert Stream(adas, events, screen).next()[0] == "reload"
    cursor = CURSOR.search(adas.read(path))
    assert cursor
    fresh = Stream(adas, f"{events}&after={cursor[1]}", Screen())
    assert "reload" not in fresh.kinds()


def test_resuming_tells_only_what_was_missed(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("One ")
        stream.until("text")
    worker.say("two ")
    worker.say("three")
    with follow() as stream:
        assert stream.next()[0] == "answer"
    assert shown(screen, worker.job).tail == "One two three"


def test_words_that_were_lost_on_the_way_are_not_passed_over(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("One ")
        stream.until("text")
        worker.said += "two "
        worker.say("three")
        assert "comes with its end" in stream.until("exchange")
        assert shown(screen, asked).tail == ""


def test_the_end_is_rendered_at_most_so_often(
    follow: Callable[[], Stream], worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(growing_answer, "INTERVAL_SECONDS", 0.3)
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        for number in range(30):
            worker.say(f"- item *{number}*\n")
        heard = [stream.until("answer") for _ in range(2)]
        assert "<em>29</em>" in heard[1]


def test_finished_blocks_are_sent_once(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        for words in ("**One**.\n\n", "*Two*", ".\n\n", "`Three`"):
            worker.say(words)
            last = stream.until("answer")
        assert "One" not in last
        assert shown(screen, asked).whole == (
            "<p><strong>One</strong>.</p><p><em>Two</em>.</p><p><code>Three</code></p>"
        )


def test_what_cannot_be_rendered_is_shown_as_it_is(
    follow: Callable[[], Stream],
    worker: FakeWorker,
    screen: Screen,
    asked: Job,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    worker.claim()
    monkeypatch.setattr(rendering, "advance", _fail)
    with follow() as stream:
        stream.until("exchange")
        worker.say("<b>*One*\n")
        assert "plain-text" in stream.until("answer")
        worker.say("*two* & three")
        stream.until("text")
        assert shown(screen, asked).tail == "<b>*One*\n*two* & three"


def _fail(text: str, *, job_id: UUID) -> rendering.Growing:
    raise Failed("too_slow", f"{job_id} {len(text)}")


def test_what_a_drawing_shows_already_is_not_added_again(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    with follow() as stream:
        stream.until("exchange")
        worker.claim()
        for word in ("One ", "two ", "three"):
            worker.say(word)
        # Drawn when the claim is heard; by then all the words are in the job's stream.
        stream.until("exchange")
        assert shown(screen, asked).tail == "One two three"
        worker.say(" four")
        stream.until("text")
        assert shown(screen, asked).tail == "One two three four"


def test_a_browser_without_memory_gets_the_whole_text_so_far(
    adas: Browser, worker: FakeWorker, hub: Hub
) -> None:
    worker.claim()
    for piece in pieces(ANSWER):
        worker.say(piece)
    fresh = Screen()
    with Stream(adas, f"/chat/{worker.job.conversation_id}/events?after=x", fresh) as stream:
        stream.until("exchange")
    seen = shown(fresh, worker.job)
    assert seen.whole == told(hub, worker.job)


def test_what_ended_while_the_phone_slept_is_told(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("Begun")
        stream.until("text")
    worker.say(", and done.")
    worker.finish()
    with follow() as stream:
        assert "Begun, and done." in stream.until("exchange")
    assert shown(screen, asked).state == "sent"


def test_another_attempt_clears_the_text_of_the_one_before(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("Forget this.")
        stream.until("text")
        worker.requeue()
        stream.until("exchange")
        assert (shown(screen, asked).state, shown(screen, asked).tail) == ("queued", "")
        worker.claim()
        stream.until("exchange")
        hub, job = worker.hub, worker.job
        hub.streams.append(job.conversation_id, job.id, 1, TextAdded(12, "A zombie speaks. "))
        worker.say("Better.")
        stream.until("text")
        assert (shown(screen, asked).attempt, shown(screen, asked).tail) == (2, "Better.")


def test_a_second_attempt_missed_while_asleep_is_shown_alone(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("Forget this.")
        stream.until("text")
    worker.requeue()
    worker.claim()
    worker.say("Better.")
    with follow() as stream:
        stream.until("exchange")
    assert (shown(screen, asked).attempt, shown(screen, asked).tail) == (2, "Better.")


def test_an_emptied_valkey_doubles_nothing_and_the_end_is_whole(
    follow: Callable[[], Stream], worker: FakeWorker, screen: Screen, asked: Job, hub: Hub
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("Before ")
        stream.until("text")
        empty(hub)
        worker.say("and after.")
        stream.until("text")
        assert shown(screen, asked).tail == "Before and after."
    with follow() as stream:
        assert "comes with its end" in stream.until("exchange")
        worker.say(" More.")
        stream.until("beat")
        assert (shown(screen, asked).state, shown(screen, asked).tail) == ("writing", "")
        worker.finish()
        assert "Before and after. More." in stream.until("exchange")


def test_an_end_that_nobody_told_is_found_in_the_database(
    follow: Callable[[], Stream], worker: FakeWorker, db: Session
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        factories.answer(db, worker.job, "Silently.", "<p>Silently.</p>")
        db.commit()
        assert "<p>Silently.</p>" in stream.until("exchange")


def test_without_valkey_the_page_still_follows(
    adas: Browser, app: Flask, asked: Job, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = app.extensions["hub"] = Hub(Streams("redis://127.0.0.1:1/0"))
    monkeypatch.setattr(event_stream, "CONNECT_SECONDS", 0.01)
    screen = Screen()
    with Stream(adas, f"/chat/{asked.conversation_id}/events", screen) as stream:
        stream.until("exchange")
        factories.claim(db)
        db.commit()
        stream.until("exchange")
        assert shown(screen, asked).state == "working"
    away.close()


def test_without_valkey_a_quiet_page_hears_of_new_messages(
    adas: Browser, app: Flask, ada: User, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "CONNECT_SECONDS", 0.01)
    job = factories.running(db, ada)
    factories.answer(db, job, "Hello!", "<p>Hello!</p>")
    db.commit()
    away = app.extensions["hub"] = Hub(Streams("redis://127.0.0.1:1/0"))
    path = f"/chat/{job.conversation_id}"
    with Stream(adas, f"{path}/events", Screen()) as stream:
        stream.until("exchange")
        stream.until("beat")
        adas.post(f"{path}/messages", {"text": "And now?"})
        new = factories.claim(db)
        assert new is not None
        factories.answer(db, new, "The answer.", "<p>The answer.</p>")
        talk = conversations.find_own(db, ada.id, job.conversation_id)
        conversations.say(db, talk, Role.ASSISTANT, "Call mum", html="<p>Call mum</p>")
        db.commit()
        drawn = stream.until("exchange") + stream.until("exchange")
        assert "The answer." in drawn
        assert "Call mum" in drawn
        adas.post(f"{path}/messages/{job.message_id}/deletion")
        stream.until("reload")
    away.close()


def test_an_edit_in_a_messenger_is_shown(
    follow: Callable[[], Stream], db: Session, ada: User, asked: Job, hub: Hub
) -> None:
    with follow() as stream:
        stream.until("exchange")
        assert rewriting.rewrite(db, ada.id, asked.id, "What shall we do?")
        db.commit()
        hub.announce(asked.conversation_id, asked.id, JobQueued())
        assert "What shall we do?" in stream.until("exchange")


def test_ones_place_in_the_queue_is_told_anew_when_it_changes(
    db: Session, eve: User, ada: User, adas: Browser, hub: Hub
) -> None:
    assert hub
    hers = factories.job(db, eve, "First!")
    mine = factories.job(db, ada, "Second.")
    db.commit()
    with Stream(adas, f"/chat/{mine.conversation_id}/events", Screen()) as stream:
        assert "1 message is before yours" in stream.until("exchange")
        jobs.stop(db, hers)
        db.commit()
        assert "Next in line" in stream.until("exchange")
        # What has not changed is not drawn.
        stream.until("beat")
        assert stream.next()[0] == "beat"


def test_a_message_from_another_tab_appears(
    follow: Callable[[], Stream], adas: Browser, asked: Job, db: Session, screen: Screen
) -> None:
    with follow() as stream:
        stream.until("exchange")
        adas.post(f"/chat/{asked.conversation_id}/messages", {"text": "From the other tab"})
        assert "From the other tab" in stream.until("exchange")
        assert len(screen.jobs) == 2


def test_a_message_that_is_taken_up_at_once_is_drawn_once(
    follow: Callable[[], Stream],
    adas: Browser,
    db: Session,
    worker: FakeWorker,
    screen: Screen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(event_stream, "TAKEN_UP_SECONDS", 1.0)
    worker.claim()
    worker.say("Done.")
    worker.finish()
    with follow() as stream:
        stream.until("exchange")
        adas.post(f"/chat/{worker.job.conversation_id}/messages", {"text": "And then?"})
        taking = threading.Timer(0.2, worker.claim)
        taking.start()
        stream.until("exchange")
        taking.join()
        assert shown(screen, worker.job).state == "working"
        worker.say("Then this.")
        heard = (kind for kind, _ in iter(stream.next, None) if kind != "beat")
        assert next(heard) == "text"


def test_after_a_very_long_sleep_the_page_is_asked_for_anew(
    db: Session, ada: User, adas: Browser, hub: Hub
) -> None:
    assert hub
    conversation = factories.conversation(db, ada)
    for _ in range(conversations.PAGE_LENGTH + 1):
        jobs.stop(db, jobs.ask(db, conversation, "More", model=MODEL))
    db.commit()
    with Stream(adas, f"/chat/{conversation.id}/events", Screen()) as stream:
        assert stream.next()[0] == "reload"


def test_who_reads_too_slowly_is_cut_off_and_comes_back_to_the_whole(
    adas: Browser,
    app: Flask,
    asked: Job,
    db: Session,
    redis_url: str,
) -> None:
    narrow = app.extensions["hub"] = Hub(Streams(redis_url), queue_length=3)
    worker, screen = FakeWorker(db, narrow, asked), Screen()
    worker.claim()
    path = f"/chat/{asked.conversation_id}/events"
    with Stream(adas, path, screen) as stream:
        stream.until("exchange")
        for piece in pieces(ANSWER):
            worker.say(piece)
        cast(Any, narrow.streams.client).ping()
        assert stream.ends()
    with Stream(adas, path, screen) as stream:
        while shown(screen, asked).whole != told(narrow, asked):
            stream.next()
    narrow.close()


@pytest.mark.parametrize("is_over", [False, True])
def test_a_deleted_conversation_says_so(
    follow: Callable[[], Stream], adas: Browser, asked: Job, db: Session, *, is_over: bool
) -> None:
    if is_over:
        jobs.stop(db, asked)
        db.commit()
    with follow() as stream:
        stream.until("exchange")
        adas.post(f"/chat/{asked.conversation_id}/deletion")
        stream.until("gone")
        assert stream.ends()


def test_who_was_logged_out_hears_no_more(
    follow: Callable[[], Stream], db: Session, ada: User, worker: FakeWorker
) -> None:
    with follow() as stream:
        stream.until("exchange")
        db.execute(sa.delete(UserSession).where(UserSession.user_id == ada.id))
        db.commit()
        worker.claim()
        stream.until("gone")


def test_a_login_that_ended_ends_a_stream_on_which_nothing_is_drawn(
    follow: Callable[[], Stream], db: Session, ada: User, worker: FakeWorker, screen: Screen
) -> None:
    worker.claim()
    with follow() as stream:
        stream.until("exchange")
        worker.say("One ")
        stream.until("text")
        db.execute(sa.delete(UserSession).where(UserSession.user_id == ada.id))
        db.commit()
        heard = stream.next()
        while heard[0] == "beat":
            heard = stream.next()
        assert heard[0] == "gone"
        assert stream.ends()


def test_a_quiet_page_is_seldom_asked_whose_it_is_and_ends_with_its_login(
    adas: Browser, ada: User, db: Session, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    del hub
    job = factories.running(db, ada)
    factories.answer(db, job, "Hello!", "<p>Hello!</p>")
    db.commit()
    asked: list[None] = []
    find = viewer.find_current_user

    def _find() -> User | None:
        asked.append(None)
        return find()

    monkeypatch.setattr(viewer, "find_current_user", _find)
    path = f"/chat/{job.conversation_id}/events"
    with Stream(adas, path, Screen()) as stream:
        stream.until("beat")
        before = len(asked)
        for _ in range(3):
            stream.until("beat")
    assert len(asked) == before
    monkeypatch.setattr(viewer, "QUIET_SECONDS", 0.1)
    with Stream(adas, path, Screen()) as stream:
        stream.until("beat")
        db.execute(sa.delete(UserSession).where(UserSession.user_id == ada.id))
        db.commit()
        stream.until("gone")
        assert stream.ends()


def test_nobody_hears_what_is_anothers(eves: Browser, browser: Browser, asked: Job) -> None:
    path = f"/chat/{asked.conversation_id}/events"
    headers = {"Accept": "text/event-stream"}
    assert eves.get(path, headers=headers).status_code == 404
    assert eves.get(f"/chat/{new_id()}/events", headers=headers).status_code == 404
    assert browser.get(path, headers=headers).status_code == 401


def test_nothing_on_the_way_may_keep_or_gather_it(follow: Callable[[], Stream]) -> None:
    with follow() as stream:
        headers = stream.answer.headers
        assert headers["Content-Type"].startswith("text/event-stream")
        assert "no-store" in headers["Cache-Control"]
        assert "no-transform" in headers["Cache-Control"]
        assert headers["X-Accel-Buffering"] == "no"
        assert "Content-Encoding" not in headers
        assert stream.until("beat") == ""


def test_it_ends_after_a_while_and_goes_on_from_there(
    follow: Callable[[], Stream], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_stream, "LONGEST_SECONDS", 0.05)
    with follow() as stream:
        assert stream.ends()


def test_no_connection_to_the_database_is_held_while_it_waits(
    emptied: sa.Engine, settings: Settings, redis_url: str
) -> None:
    assert redis_url
    with unit_of_work() as db:
        grace = factories.user(db, "grace@example.org")
        conversation = factories.job(db, grace).conversation_id
    site = _site(settings)
    browser = Browser(site)
    browser.log_in("grace@example.org")
    pool = cast(sa.pool.QueuePool, emptied.pool)
    streams = [Stream(browser, f"/chat/{conversation}/events", Screen()) for _ in range(5)]
    for stream in streams:
        stream.until("exchange")
        stream.until("beat")
    assert pool.checkedout() == 0
    for stream in streams:
        stream.answer.close()
    site.extensions["hub"].close()


def _site(settings: Settings) -> Flask:
    database.open_session.configure(join_transaction_mode="conditional_savepoint")
    return create_app(settings)


@pytest.mark.parametrize(
    "given",
    [
        "",
        "x",
        "1-2@nobody",
        f"1-2@{UUID(int=7)}",
        f"1-2@{UUID(int=7)}+-1",
        "-1",
        "9" * 40,
        "1--2",
        "١-١",
    ],
)
def test_a_cursor_that_makes_no_sense_means_now(given: str) -> None:
    assert Cursor.parse(given).job_id is None
    assert Cursor.parse(given).moment


def test_a_cursor_comes_back_as_it_went() -> None:
    cursor = Cursor("1700000000000-7", UUID(int=7), 12)
    assert Cursor.parse(str(cursor)) == cursor


def test_a_reminder_is_shown_as_it_fires_and_once(
    follow: Callable[[], Stream], db: Session, ada: User, asked: Job, hub: Hub
) -> None:
    said = conversations.say(
        db,
        conversations.find_own(db, ada.id, asked.conversation_id),
        Role.ASSISTANT,
        "Call mum",
        html="<p>Call mum</p>",
    )
    said.created_at -= 2 * updates.MARGIN
    db.commit()
    with follow() as stream:
        stream.until("exchange")
        for _ in range(2):
            hub.streams.append(asked.conversation_id, said.id, 0, MessageAdded())
        assert "<p>Call mum</p>" in stream.until("exchange")
        seen = [stream.next()[0] for _ in range(3)]
        assert "exchange" not in seen


def test_a_reminder_that_fired_while_nobody_listened_is_shown(
    follow: Callable[[], Stream], db: Session, ada: User, asked: Job
) -> None:
    talk = conversations.find_own(db, ada.id, asked.conversation_id)
    conversations.say(db, talk, Role.ASSISTANT, "Call mum", html="<p>Call mum</p>")
    db.commit()
    with follow() as stream:
        drawn = stream.until("exchange") + stream.until("exchange")
        assert "<p>Call mum</p>" in drawn
