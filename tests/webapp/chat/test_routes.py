"""The chat page, and sending."""

import re
from collections.abc import Callable, Generator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from sqlalchemy.orm import Session

from actions.sentences import freezes
from agent import catalogue
from gateways.live_events import AttemptBegan, TextAdded
from models import jobs, ledger
from models.base import new_id
from models.chat import conversations, history
from models.schema.chat import Conversation, Message, Role
from models.schema.jobs import Job
from models.schema.ledger import FreezeReason
from models.schema.users import User
from settings import Settings
from tests import factories
from tests.factories import MODEL
from tests.webapp.browser import Browser
from untrusted.inside import markdown
from webapp.chat.suggestions import suggestions


def answer(db: Session, words: str = "An **answer**.", charge_micros: int = 0) -> Job:
    """Let a worker answer whoever is first."""
    job = factories.claim(db)
    assert job is not None
    if charge_micros:
        factories.charge(db, job, charge_micros)
    factories.answer(db, job, words, markdown.render(words))
    db.commit()
    return job


def talk(db: Session, owner: User, count: int) -> Conversation:
    conversation = factories.conversation(db, owner)
    for number in range(count):
        jobs.ask(db, conversation, f"Question {number}.", model=MODEL)
        answer(db, f"Answer {number}.")
    return conversation


@contextmanager
def counting(engine: sa.Engine) -> Generator[list[str]]:
    seen: list[str] = []

    def _note(_c: object, _cur: object, statement: str, *_: object) -> None:
        if statement.lstrip().upper().startswith("SELECT"):
            seen.append(statement)

    event.listen(engine, "before_cursor_execute", _note)
    yield seen
    event.remove(engine, "before_cursor_execute", _note)


def test_a_newcomer_sees_an_empty_conversation_and_ways_to_begin(adas: Browser) -> None:
    page = adas.read("/chat")
    assert "Hello, Ada." in page
    assert "Let us begin with this: Keeping track of my garden" in page
    assert 'name="text"' in page
    assert 'name="files"' in page


def test_a_first_message_begins_a_conversation(adas: Browser, ada: User, db: Session) -> None:
    sent = adas.post("/chat", {"text": "What grows in shade?\r\nTell me."})
    (conversation,) = conversations.list_own(db, ada.id)
    assert sent.status_code == 303
    assert sent.location == f"/chat/{conversation.id}"
    page = adas.read(sent.location)
    assert "What grows in shade?\nTell me." in page
    assert 'data-state="queued"' in page
    assert adas.get("/chat").location == sent.location


def test_htmx_gets_the_conversation_its_address_and_the_list(adas: Browser) -> None:
    sent = adas.post_part("/chat", {"text": "What grows in shade?"})
    assert sent.status_code == 200
    assert sent.headers["HX-Push-Url"].startswith("/chat/")
    assert 'id="conversation"' in sent.text
    assert sent.text.count('hx-swap-oob="true"') == 2
    assert "<html" not in sent.text


def test_a_further_message_is_drawn_alone(adas: Browser, ada: User, db: Session) -> None:
    conversation = talk(db, ada, 1)
    sent = adas.post_part(f"/chat/{conversation.id}/messages", {"text": "And in the sun?"})
    assert sent.text.count("data-exchange") == 1
    assert "And in the sun?" in sent.text
    path = f"/chat/{conversation.id}"
    assert adas.post(f"{path}/messages", {"text": "x"}).location == path


def test_a_form_that_is_sent_again_says_it_once(
    adas: Browser, eves: Browser, ada: User, db: Session
) -> None:
    form = {"text": "Did this come?", "sent_key": str(new_id())}
    first = adas.post("/chat", form)
    assert adas.post("/chat", form).location == first.location
    assert "Did this come?" in adas.post_part("/chat", form).text
    assert len(conversations.list_own(db, ada.id)) == 1

    said = f"{first.location}/messages"
    assert adas.post(said, form).location == first.location
    assert adas.post(said, {**form, "text": "Another tab"}).location == first.location
    assert adas.post(said, {"text": "Did this come?", "sent_key": "nonsense"}).status_code == 303
    hers = eves.post("/chat", form)
    assert hers.status_code == 303
    assert eves.post("/chat", form).location == hers.location
    mine = sa.select(Message.text).where(Message.user_id == ada.id).order_by(Message.id)
    assert db.scalars(mine).all() == ["Did this come?", "Another tab", "Did this come?"]


def test_what_people_write_is_shown_as_they_wrote_it(adas: Browser) -> None:
    sent = adas.post("/chat", {"text": "<script>alert(1)</script> & **stars**"})
    page = adas.get(sent.location).text
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; **stars**" in page
    assert "<script>alert" not in page


def test_an_answer_is_shown_with_what_it_cost(adas: Browser, ada: User, db: Session) -> None:
    conversation = factories.job(db, ada).conversation_id
    answer(db, charge_micros=6123)
    page = adas.read(f"/chat/{conversation}")
    assert "An <strong>answer</strong>." in page
    assert 'data-state="sent"' in page
    assert "$0.0061" in page


@pytest.mark.parametrize("words", ["", "   ", "x" * 20_001])
def test_a_refused_message_stays_in_the_form(adas: Browser, words: str) -> None:
    sent = adas.post("/chat", {"text": words})
    assert sent.status_code == 422
    assert 'role="alert"' in sent.text
    assert f">{words}</textarea>" in sent.text


def test_htmx_is_told_beside_the_form_why_it_was_refused(adas: Browser) -> None:
    refused = adas.post_part("/chat", {"text": " "})
    assert refused.status_code == 422
    assert refused.headers["HX-Retarget"] == "#composer-notice"
    assert "Write something" in refused.text


def test_a_refused_message_leaves_nothing_behind(
    adas: Browser, ada: User, db: Session, settings: Settings
) -> None:
    conversation = factories.conversation(db, ada)
    for number in range(settings.max_waiting_jobs_per_user):
        jobs.ask(db, conversation, str(number), model=MODEL)
    db.commit()
    refused = adas.post(f"/chat/{conversation.id}/messages", {"text": "One too many"})
    assert refused.status_code == 422
    assert refused.text.count("One too many") == 1
    assert db.scalar(sa.select(Message.id).where(Message.text == "One too many")) is None


def test_without_credit_what_is_sent_waits_and_the_page_says_so(
    adas: Browser, ada: User, db: Session
) -> None:
    conversation = factories.job(db, ada).conversation_id
    answer(db, charge_micros=ada.credits_balance_micros)
    page = adas.read(f"/chat/{conversation}")
    assert "Your credits are used up" in page
    assert 'href="/billing#top-up"' in page
    assert not re.search(r'aria-label="Send"\s+disabled', page)

    sent = adas.post_part(f"/chat/{conversation}/messages", {"text": "Please?"})
    assert sent.status_code == 200
    assert 'data-state="paused"' in sent.text
    assert "Waits for credits" in sent.text


def test_who_is_frozen_may_read_and_not_send(adas: Browser, ada: User, db: Session) -> None:
    conversation = talk(db, ada, 1)
    ledger.freeze(ada, FreezeReason.DISPUTE)
    db.commit()
    page = adas.read(f"/chat/{conversation.id}")
    assert freezes.freeze(FreezeReason.DISPUTE, {}) in page
    assert re.search(r'aria-label="Send"\s+disabled', page)

    refused = adas.post_part(f"/chat/{conversation.id}/messages", {"text": "Please?"})
    assert refused.status_code == 422
    assert freezes.freeze(FreezeReason.DISPUTE, {}) in refused.text


def test_nobody_reads_or_writes_what_is_anothers(
    eves: Browser, browser: Browser, ada: User, db: Session
) -> None:
    conversation = talk(db, ada, 1)
    path = f"/chat/{conversation.id}"
    assert eves.get(path).status_code == 404
    assert eves.post(f"{path}/messages", {"text": "Hello"}).status_code == 404
    assert eves.post_part(f"{path}/messages", {"text": "Hello"}).status_code == 404
    assert "Question" not in eves.read("/chat")
    assert browser.get(path).location.startswith("/login?next=")
    assert eves.get(f"/chat/{new_id()}").status_code == 404
    assert eves.get("/chat/1").status_code == 404


@pytest.mark.parametrize(
    ("page", "back"),
    [
        ("http://localhost/chat/here", "/login?next=/chat/here"),
        ("http://localhost/chat/here?before=1", "/login?next=/chat/here?before%3D1"),
        ("http://elsewhere.example/chat/here", "/login"),
        ("http://[/chat", "/login"),
        ("", "/login"),
    ],
)
def test_whose_login_ended_while_they_wrote_comes_back_to_their_page(
    browser: Browser, page: str, back: str
) -> None:
    form = {"csrf_token": browser.token(), "text": "Half a thought"}
    plain = browser.client.post("/chat", data=form, headers={"Referer": page})
    assert plain.location == back
    headers = {"HX-Request": "true", "HX-Current-URL": page, "X-CSRFToken": form["csrf_token"]}
    assert browser.client.post("/chat", data=form, headers=headers).headers["HX-Redirect"] == back


def test_whose_cookie_is_gone_is_sent_to_the_login_too(browser: Browser) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/chat/here"}
    answer = browser.client.post("/chat", data={"text": "Half a thought"}, headers=headers)
    assert answer.headers["HX-Redirect"] == "/login?next=/chat/here"


def test_who_has_not_introduced_themselves_does_that_first(
    db: Session, log_in: Callable[[User], Browser]
) -> None:
    newcomer = log_in(factories.user(db, "new@example.org", onboarded=False))
    assert newcomer.get("/chat").location == "/onboarding"


def test_history_comes_page_by_page_upwards(adas: Browser, ada: User, db: Session) -> None:
    conversation = talk(db, ada, 40)
    seen: list[str] = []
    address = f"/chat/{conversation.id}"
    while address:
        page = adas.get(address, headers={"HX-Request": "true"} if seen else {}).text
        numbers = re.findall(r"<p>Answer (\d+)\.</p>", page)
        assert numbers == re.findall(r"Question (\d+)\.</p>", page)
        seen = numbers + seen
        earlier = re.search(r'hx-get="([^"]+before[^"]+)"', page)
        address = earlier[1].replace("&amp;", "&") if earlier else ""
    assert seen == [str(number) for number in range(40)]


def test_an_earlier_page_can_be_read_without_scripts(adas: Browser, ada: User, db: Session) -> None:
    conversation = talk(db, ada, 30)
    before = history.page(db, conversation).earlier
    page = adas.read(f"/chat/{conversation.id}?before={before}")
    assert "Back to the latest" in page
    assert "data-events" not in page
    assert 'name="text"' not in page


def test_an_answer_stands_under_its_question(adas: Browser, ada: User, db: Session) -> None:
    conversation = factories.conversation(db, ada)
    for words in ("Eggs?", "Flour?"):
        jobs.ask(db, conversation, words, model=MODEL)
    answer(db, "Two.")
    answer(db, "A pound.")
    page = adas.read(f"/chat/{conversation.id}")
    said = re.findall(r"Eggs\?</p>|Two\.</p>|Flour\?</p>|A pound\.</p>", page)
    assert said == ["Eggs?</p>", "Two.</p>", "Flour?</p>", "A pound.</p>"]


def test_a_long_conversation_takes_no_more_queries_than_a_short_one(
    adas: Browser, ada: User, db: Session, engine: sa.Engine
) -> None:
    short, long = talk(db, ada, 1), talk(db, ada, 14)
    with counting(engine) as few:
        adas.read(f"/chat/{short.id}")
    with counting(engine) as many:
        adas.read(f"/chat/{long.id}")
    assert len(many) == len(few)
    assert len(many) <= 13, many


def test_a_page_that_has_not_changed_is_not_sent_again(
    adas: Browser, ada: User, db: Session
) -> None:
    conversation = talk(db, ada, 1)
    path = f"/chat/{conversation.id}"
    first = adas.get(path)
    assert first.headers["Cache-Control"] == "private, no-cache"
    kept = {"If-None-Match": first.headers["ETag"]}
    again = adas.get(path, headers=kept)
    assert again.status_code == 304
    assert "Content-Security-Policy" not in again.headers
    jobs.ask(db, conversation, "News?", model=MODEL)
    db.commit()
    assert adas.get(path, headers=kept).status_code == 200


@pytest.mark.parametrize("change", ["name", "credit", "title", "answer"])
def test_whatever_is_on_the_page_makes_it_another_page(
    adas: Browser, ada: User, db: Session, change: str
) -> None:
    conversation = talk(db, ada, 1)
    jobs.ask(db, conversation, "Next?", model=MODEL)
    db.commit()
    path = f"/chat/{conversation.id}"
    kept = {"If-None-Match": adas.get(path).headers["ETag"]}
    if change == "name":
        ada.name = "Ada L."
    elif change == "credit":
        factories.gift(db, ada.id, 5_000_000, reference="more")
    elif change == "title":
        factories.job(db, ada, "Another conversation")
    else:
        answer(db)
    db.commit()
    assert adas.get(path, headers=kept).status_code == 200


def test_one_persons_page_is_never_anothers(
    adas: Browser, ada: User, log_in: Callable[[User], Browser], db: Session
) -> None:
    path = f"/chat/{talk(db, ada, 1).id}"
    phone = log_in(ada)
    tags = {browser.get(path).headers["ETag"] for browser in (adas, phone)}
    assert len(tags) == 2


def test_words_that_are_being_written_are_on_a_reloaded_page(
    adas: Browser, ada: User, db: Session, app: Flask
) -> None:
    job = factories.running(db, ada)
    db.commit()
    streams = app.extensions["hub"].streams
    streams.append(job.conversation_id, job.id, 1, AttemptBegan())
    streams.append(job.conversation_id, job.id, 1, TextAdded(0, "Half of <it>"))
    page = adas.get(f"/chat/{job.conversation_id}").text
    assert "data-tail><p>Half of &lt;it&gt;</p>" in page
    assert 'data-state="writing"' in page


def test_the_model_can_be_chosen_beside_the_form(
    adas: Browser, ada: User, db: Session, settings: Settings
) -> None:
    offered = catalogue.models(settings)[-1]
    assert adas.post_part("/chat/model", {"model": offered.id}).status_code == 204
    db.refresh(ada)
    assert ada.model == offered.id
    assert adas.post_part("/chat/model", {"model": "somebody/else"}).status_code == 422
    assert adas.post("/chat/model", {"model": offered.id}).location == "/chat"


def test_a_message_goes_to_the_model_of_the_person(
    adas: Browser, ada: User, db: Session, settings: Settings
) -> None:
    adas.post("/chat", {"text": "Hello"})
    job = db.scalars(sa.select(Job).where(Job.user_id == ada.id)).one()
    assert job.model == catalogue.default(settings).id


def test_suggestions_follow_what_was_said_at_the_start() -> None:
    offered = suggestions("- Cook at home\nMy thesis on whales\n\n" + "x" * 200)
    assert offered[0].startswith("What could I cook tonight?")
    assert offered[1] == "Let us begin with this: My thesis on whales"
    assert len(offered) == 4
    assert len(set(suggestions("What can you do for me?\n" * 9))) == 4


def test_said_by_nobody_in_particular_is_not_lost(ada: User, db: Session, adas: Browser) -> None:
    conversation = factories.conversation(db, ada)
    conversations.say(db, conversation, Role.USER, "A message without a job")
    db.commit()
    assert "A message without a job" in adas.read(f"/chat/{conversation.id}")
