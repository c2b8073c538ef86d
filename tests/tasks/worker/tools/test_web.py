"""The web for a turn: a search is one charge, and an address is read only as it came."""

from collections.abc import Callable, Generator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import files
from actions.web import searching
from agent.tools.registry import ToolRefused
from agent.turn import Attachment, Turn
from gateways.event_streams import connect
from models import jobs, ledger
from models.base import new_id, utc_now
from models.chat import conversations, message_deletion, sources
from models.ledger import usage
from models.ops import switches
from models.ops.switches import Switches, Versioned
from models.schema.chat import Conversation, Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, Transaction
from models.schema.model_calls import CallKind, CallStatus, ModelCall
from models.schema.reminders import Reminder, ReminderKind
from models.schema.sources import AnswerSource
from models.schema.uploads import SentFile, Upload
from models.schema.users import User
from settings import Settings
from tasks.worker.tools import HANDLERS, offered_handlers
from tests import factories, scanning
from tests.embedded.fake_web.served import ServedWeb, served_web
from tests.tasks.worker.tools.test_tools import turn_of

Use = Callable[..., str]
# 1,000 micro-dollars, and our margin of 40 percent.
PRICE = 1_667
TIMETABLE = "http://ferries.example/timetable"


@pytest.fixture
def web(settings: Settings, adjust: Callable[..., None]) -> Generator[ServedWeb]:
    """The made-up web, whose pages nobody has read yet."""
    connect(settings.redis_url.get_secret_value()).flushdb()  # pyright: ignore[reportUnknownMemberType]
    with served_web() as served:
        adjust(**served.environment())
        yield served


@pytest.fixture
def running(db: Session, ada: User) -> Job:
    """A message of Ada's that is being answered."""
    words = "When does the ferry to Gull Island sail? See also http://kitchen.example/walnut-bread."
    return factories.running(db, ada, words)


@pytest.fixture
def use(running: Job, web: ServedWeb) -> Use:
    """Uses a tool in Ada's turn."""
    assert web
    return _user_of(turn_of(running))


def _user_of(turn: Turn) -> Use:
    def _use(name: str, **given: object) -> str:
        return HANDLERS[name](turn, given)

    return _use


def _calls(db: Session) -> list[ModelCall]:
    return list(db.scalars(select(ModelCall).order_by(ModelCall.id)))


def _entries(db: Session) -> list[Transaction]:
    wanted = select(Transaction).where(Transaction.kind != EntryKind.GRANT)
    return list(db.scalars(wanted.order_by(Transaction.id)))


def test_a_search_is_one_charge_that_was_held_before(
    use: Use, db: Session, ada: User, running: Job, web: ServedWeb
) -> None:
    before = ada.credits_balance_micros
    said = use("web_search", query="ferry timetable of Port Alder")
    assert f"[1] Ferry timetable of Port Alder (2026-11-02)\n  {TIMETABLE}\n" in said
    (call,) = _calls(db)
    assert (call.kind, call.status, call.held_micros) == (
        CallKind.SEARCH,
        CallStatus.COMPLETED,
        PRICE,
    )
    (entry,) = _entries(db)
    assert (entry.kind, entry.amount_micros, entry.provider_cost_micros) == (
        EntryKind.CHARGE,
        -PRICE,
        1_000,
    )
    assert (entry.call_id, entry.job_id, entry.model) == (call.id, running.id, "searxng/web_search")
    db.refresh(ada)
    assert (ada.credits_held_micros, ada.credits_balance_micros) == (0, before - PRICE)
    assert web.asked == ["search:ferry timetable of Port Alder"]
    assert not any(ledger.audit(db).values())


def test_a_search_that_is_not_answered_costs_nothing(
    use: Use, db: Session, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(SEARXNG_BASE_URL="http://127.0.0.1:9")
    with pytest.raises(ToolRefused, match="Nothing was charged"):
        use("web_search", query="ferry")
    (call,) = _calls(db)
    assert call.status is CallStatus.FAILED
    assert "ferry" not in str(call.detail)
    assert _entries(db) == []
    db.refresh(ada)
    assert ada.credits_held_micros == 0


def test_a_search_of_a_job_that_fails_is_given_back(
    use: Use, db: Session, ada: User, running: Job
) -> None:
    before = ada.credits_balance_micros
    use("web_search", query="ferry")
    jobs.fail(db, running, FailureCode.CELL_DIED)
    db.refresh(ada)
    assert ada.credits_balance_micros == before
    assert [one.kind for one in _entries(db)] == [EntryKind.CHARGE, EntryKind.REFUND]


def test_a_search_is_charged_with_the_margin_as_it_is_switched(use: Use, db: Session) -> None:
    switches.keep(Versioned(1, Switches(margin=50)))
    use("web_search", query="ferry")
    (entry,) = _entries(db)
    assert entry.amount_micros == -2_000
    assert str(entry.price_version).endswith("+m50")


@pytest.mark.parametrize(
    "limit",
    [
        {"credits_balance_micros": PRICE - 1, "credits_promotional_micros": 0},
        {"day_limit_micros": PRICE - 1},
        {"month_limit_micros": PRICE - 1},
        {"message_limit_micros": PRICE - 1},
    ],
)
def test_every_limit_holds_for_a_search(
    use: Use, db: Session, ada: User, running: Job, web: ServedWeb, limit: dict[str, int]
) -> None:
    running.cost_limit_micros = None
    for name, value in limit.items():
        setattr(ada, name, value)
    db.flush()
    with pytest.raises(ToolRefused):
        use("web_search", query="ferry")
    assert _calls(db) == []
    assert web.asked == []


def test_it_is_only_offered_where_somebody_searches(
    web: ServedWeb, adjust: Callable[..., None]
) -> None:
    assert {"web_search", "read_page"} <= set(offered_handlers())
    adjust(SEARXNG_BASE_URL="")
    assert {"web_search", "read_page"}.isdisjoint(offered_handlers())


def test_so_many_searches_are_made_for_a_message(
    use: Use, adjust: Callable[..., None], db: Session
) -> None:
    adjust(WEB_MAX_SEARCHES="1")
    use("web_search", query="ferry")
    with pytest.raises(ToolRefused, match="too many searches"):
        use("web_search", query="ferry")
    assert len(_calls(db)) == 1


def test_a_found_page_is_read_and_is_a_source(use: Use, db: Session, running: Job) -> None:
    use("web_search", query="ferry timetable of Port Alder")
    said = use("read_page", address=TIMETABLE)
    lines = said.splitlines()
    assert lines[1:3] == ["Number: [1]", f"Address: {TIMETABLE}"]
    assert "07:40" in said
    assert lines[-1].startswith("</page-")
    assert said.count(lines[-1]) == 1
    shown = sources.of_answers(db, {running.id: "At 07:40 [1]; more is at [3]."})[running.id]
    assert [(one.number, one.is_read) for one in shown] == [(1, True), (3, False)]
    assert shown[0].title == "Ferry timetable of Port Alder"


def test_what_a_page_links_to_may_be_read_and_nothing_else(use: Use, web: ServedWeb) -> None:
    today = "http://ferries.example/today"
    with pytest.raises(ToolRefused, match="does not stand like this"):
        use("read_page", address=today)
    use("web_search", query="ferry timetable of Port Alder")
    use("read_page", address=TIMETABLE)
    assert "All three crossings" in use("read_page", address=today)
    for odd in (f"{today}?q=Ada", f"{today}/Ada", "http://ada.ferries.example/today"):
        with pytest.raises(ToolRefused, match="does not stand like this"):
            use("read_page", address=odd)
    assert web.pages_asked() == [TIMETABLE, today]


def test_an_address_of_the_users_is_read(use: Use, web: ServedWeb) -> None:
    assert "120 g of walnuts" in use("read_page", address="http://kitchen.example/walnut-bread#x")


def test_another_turn_has_seen_nothing(
    use: Use, running: Job, db: Session, ada: User, eve: User
) -> None:
    use("web_search", query="ferry timetable of Port Alder")
    theirs = _user_of(turn_of(factories.running(db, eve, "Hello")))
    with pytest.raises(ToolRefused, match="does not stand like this"):
        theirs("read_page", address=TIMETABLE)
    with pytest.raises(ToolRefused, match="does not stand like this"):
        theirs("read_page", address="http://kitchen.example/walnut-bread")


def test_a_page_is_asked_for_once_for_everybody(
    use: Use, web: ServedWeb, db: Session, eve: User
) -> None:
    use("read_page", address="http://kitchen.example/walnut-bread")
    job = factories.running(db, eve, "Read kitchen.example/walnut-bread, please.")
    said = _user_of(turn_of(job))("read_page", address="http://kitchen.example/walnut-bread")
    assert "120 g of walnuts" in said
    assert web.pages_asked() == ["http://kitchen.example/walnut-bread"]


def test_once_strangers_words_are_there_a_search_has_none_but_known_ones(
    use: Use, web: ServedWeb, db: Session
) -> None:
    use("web_search", query="anything at all that the model knows, such as diabetes")
    with pytest.raises(ToolRefused, match="strangers' words"):
        use("web_search", query="ferry diabetes")
    with pytest.raises(ToolRefused, match="strangers' words"):
        use("web_search", query="ferry 5550199")
    use("web_search", query=f"best Gull ferries timetable {utc_now().year}")
    assert len(_calls(db)) == 2
    assert len(web.asked) == 2


def test_what_an_earlier_answer_read_still_asks_for_things(
    use: Use, web: ServedWeb, db: Session, ada: User, running: Job
) -> None:
    """Its words are known in the next turn, and no others; its addresses are not."""
    use("web_search", query="ferry timetable of Port Alder")
    use("read_page", address=TIMETABLE)
    factories.answer(db, running)
    talk = running.conversation_id
    later = _user_of(
        turn_of(factories.running(db, ada, "And what does it cost?", conversation_id=talk))
    )
    with pytest.raises(ToolRefused, match="strangers' words"):
        later("web_search", query="diabetes")
    with pytest.raises(ToolRefused, match="does not stand like this"):
        later("read_page", address=TIMETABLE)
    assert "[1] " in later("web_search", query="crossing muzzle dogs cost")
    assert web.asked[-1] == "search:crossing muzzle dogs cost"


def test_a_file_that_came_along_is_a_strangers(running: Job, web: ServedWeb) -> None:
    with_file = replace(turn_of(running), attachments=(Attachment("a.txt", "text/plain", b"x"),))
    with pytest.raises(ToolRefused, match="strangers' words"):
        _user_of(with_file)("web_search", query="diabetes")
    assert web.asked == []


def test_a_file_stays_a_strangers_in_the_messages_that_follow(
    db: Session, ada: User, running: Job, web: ServedWeb
) -> None:
    talk = running.conversation_id
    file = _with_file(db, running)
    factories.answer(db, running)
    later = factories.running(db, ada, "Go on", conversation_id=talk)
    with pytest.raises(ToolRefused, match="strangers' words"):
        _user_of(turn_of(later))("web_search", query="diabetes")
    factories.answer(db, later)
    # What was read of it still stands in the conversation.
    files.delete_upload(db, ada, file.id)
    last = factories.running(db, ada, "Go on", conversation_id=talk)
    with pytest.raises(ToolRefused, match="strangers' words"):
        _user_of(turn_of(last))("web_search", query="diabetes")
    assert web.asked == []


def test_a_file_stays_a_strangers_though_its_message_is_deleted(
    db: Session, ada: User, running: Job, web: ServedWeb
) -> None:
    """What later messages say of it is told anew."""
    _with_file(db, running)
    factories.answer(db, running)
    message = db.get_one(Message, running.message_id)
    message_deletion.erase(db, message, [running])
    later = factories.running(db, ada, "Go on", conversation_id=running.conversation_id)
    with pytest.raises(ToolRefused, match="strangers' words"):
        _user_of(turn_of(later))("web_search", query="diabetes")
    assert web.asked == []


def _with_file(db: Session, running: Job) -> Upload:
    """Let a file have come with the message that is being answered."""
    assert running.message_id
    file = Upload(
        user_id=running.user_id,
        conversation_id=running.conversation_id,
        message_id=running.message_id,
        **vars(SentFile("a.txt", "text/plain", 3, f"uploads/{new_id()}")),
    )
    db.add(file)
    db.flush()
    return file


def test_sources_go_with_their_conversation_and_are_their_users(
    use: Use, db: Session, running: Job, eve: User
) -> None:
    use("web_search", query="ferry")
    db.flush()
    assert {one.user_id for one in db.scalars(select(AnswerSource))} == {running.user_id}
    conversations.erase(db, db.get_one(Conversation, running.conversation_id))
    assert db.scalars(select(AnswerSource)).all() == []


def test_no_row_has_the_words_of_a_search_whatever_becomes_of_it(
    use: Use, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def odd(_: object, query: str) -> None:
        raise ValueError(query)

    with monkeypatch.context() as patched:
        patched.setattr(searching, "ask", odd)
        with pytest.raises(ValueError, match="xylograph"):
            use("web_search", query="ferry xylograph")
    use("web_search", query="ferry xylograph")
    assert [one.detail for one in _calls(db)] == ["ValueError", None]
    assert scanning.tables_with(db, ["xylograph"]) == set()


@pytest.mark.parametrize(
    "odd",
    [
        {},
        {"address": 5},
        {"address": "x" * 9_000},
        {"address": "http://a.example/\x00"},
        {"at": -1},
    ],
)
def test_nonsense_is_refused(use: Use, odd: dict[str, Any]) -> None:
    with pytest.raises(ToolRefused):
        use("read_page", **({"address": TIMETABLE} | odd if "at" in odd else odd))


def test_usage_shows_searches_apart(use: Use, db: Session, ada: User) -> None:
    use("web_search", query="ferry")
    use("web_search", query="ferry timetable")
    found = usage.read(db, ada, 7)
    (part,) = found.models
    assert (part.is_search, part.messages, part.micros) == (True, 2, 2 * PRICE)
    # No model was called for the message yet.
    assert found.messages == 0


def test_a_task_carries_no_address_that_the_assistant_made_up(
    use: Use, db: Session, ada: User
) -> None:
    """What a task says is the user's word when it is due: an address in it would be read."""
    use("read_page", address="http://kitchen.example/walnut-bread")
    at = {"at": f"{(utc_now() + timedelta(days=2)).date().isoformat()}T08:00", "kind": "task"}
    stolen = "Read http://kitchen.example/thanks?she=has-a-dog"
    for what in (stolen, "Read has-a-dog.kitchen.example", f"{stolen}."):
        with pytest.raises(ToolRefused, match="address"):
            use("remind", what=what, **at)
    use("remind", what=stolen, **{**at, "kind": "reminder"})
    use("remind", what="Read https://kitchen.example/walnut-bread, and keep it in notes.md.", **at)
    with pytest.raises(ToolRefused, match="address"):
        use("change_reminder", number=2, do="edit", what=stolen)
    (task,) = db.scalars(select(Reminder).where(Reminder.kind == ReminderKind.TASK))
    assert task.words.startswith("Read https://kitchen.example/walnut-bread")
