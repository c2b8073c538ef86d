"""A real OpenClaw uses the product's tools, for the person whose turn runs and for nobody else."""

from collections.abc import Generator
from dataclasses import replace
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy import select

from agent.runtime import Runtime
from agent.turn import Profile, Turn
from gateways.s3_files import Storage
from models.base import utc_now
from models.chat import conversations
from models.database import unit_of_work
from models.periods import zone_of
from models.schema.answer_files import AnswerFile
from models.schema.chat import Role
from models.schema.jobs import Job
from models.schema.reminders import Reminder, ReminderStatus
from models.schema.users import User
from tests import factories
from tests.agent.people import Person, TurnListener
from tests.agent.scripted_model import Line, ScriptedModel, UseTool
from tests.models.reminders.making import made

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]


class Asker:
    """A user in the database, with the assistant of the runtime."""

    def __init__(self, runtime: Runtime, model: ScriptedModel, user: User) -> None:
        self.model, self.user = model, user
        self.profile = Profile(user.name, user.timezone, "")
        self.person = Person(runtime, self.profile, id=user.id)
        self.listener = TurnListener()

    def asks(self, *script: Line, has_lease: bool = True) -> str:
        """Have a message answered by the script; return what the last tool said."""
        with unit_of_work() as db:
            job = factories.running(db, db.get_one(User, self.user.id))
        turn = self._turn(job)
        self.model.will(*script, "So be it.")
        lost = replace(turn, attempt=turn.attempt + 1)
        self.person.runtime.run(
            turn if has_lease else lost, self.listener, self.person.purse, self.person.stop
        )
        self.person.save()
        with unit_of_work() as db:
            factories.answer(db, db.get_one(Job, job.id), "So be it.")
        return str(self.model.last_message)

    def _turn(self, job: Job) -> Turn:
        return self.person.turn(
            "Please.", job_id=job.id, attempt=job.attempt, conversation_id=job.conversation_id
        )


@pytest.fixture
def ada(runtime: Runtime, model: ScriptedModel, emptied: sa.Engine) -> Generator[Asker]:
    assert emptied
    with unit_of_work() as db:
        user = factories.user(db, "ada@example.org", name="Ada")
    yield Asker(runtime, model, user)
    runtime.discard(user.id)


@pytest.fixture
def eve(runtime: Runtime, model: ScriptedModel, emptied: sa.Engine) -> Generator[Asker]:
    assert emptied
    with unit_of_work() as db:
        user = factories.user(db, "eve@example.org", name="Eve")
    yield Asker(runtime, model, user)
    runtime.discard(user.id)


def _tomorrow() -> str:
    local = utc_now().astimezone(zone_of("Europe/Berlin")) + timedelta(days=1)
    return local.date().isoformat()


def _all() -> list[Reminder]:
    with unit_of_work() as db:
        return list(db.scalars(select(Reminder).order_by(Reminder.number)))


# The first is refused by us, the others by OpenClaw, which knows the schema.
REFUSED = (
    {"at": "2020-01-01T08:00"},
    {"repeat": "daily", "every": 0},
    {"repeat": "RRULE:FREQ=DAILY;INTERVAL=0"},
)


def test_it_reminds_lists_and_cancels_while_its_turn_runs(ada: Asker) -> None:
    given = {"what": "Call mum", "at": f"{_tomorrow()}T08:00"}
    assert "There is no message to answer." in ada.asks(
        UseTool("my__remind", given), has_lease=False
    )
    for odd in REFUSED:
        assert "Set" not in ada.asks(UseTool("my__remind", {**given, **odd}))
    assert "Europe/Berlin for them now." in ada.asks(UseTool("my__remind", given | REFUSED[0]))
    assert _all() == []

    ada.listener.tools.clear()
    wish = UseTool("my__remind", {**given, "repeat": "workdays"})
    said = ada.asks(wish)
    assert "Set: #1 “Call mum”, next " in said
    assert "08:00 Europe/Berlin, every weekday" in said
    assert ada.listener.tools == ["my__remind"]
    (reminder,) = _all()
    assert (reminder.user_id, reminder.status) == (ada.user.id, ReminderStatus.ACTIVE)
    assert reminder.conversation_id is not None
    assert "Already set: #1" in ada.asks(wish)
    assert "#1 “Call mum”" in ada.asks(UseTool("my__reminders", {}))
    assert "Cancelled: #1" in ada.asks(UseTool("my__cancel_reminder", {"number": 1}))
    assert [one.status for one in _all()] == [ReminderStatus.CANCELLED]
    prompt = ada.model.requests[0]["messages"][0]["content"]
    assert "`my__remind` reminds them" in prompt
    assert "act after your answer" not in prompt


def test_it_finds_what_its_person_said_and_never_what_is_anothers(ada: Asker, eve: Asker) -> None:
    with unit_of_work() as db:
        made(db, ada.user, "Only Ada's own")
        talk = conversations.start(db, ada.user.id)
        conversations.say(db, talk, Role.USER, "I am allergic to walnuts, sadly.")
        gone = conversations.start(db, ada.user.id)
        conversations.say(db, gone, Role.USER, "My walnut tree is forgotten.")
        conversations.erase(db, gone)
    assert "There are no reminders" in eve.asks(UseTool("my__reminders", {}))
    assert "no reminder #1" in eve.asks(UseTool("my__cancel_reminder", {"number": 1}))
    assert "Nothing was found" in eve.asks(UseTool("my__search_history", {"query": "walnuts"}))
    assert [one.status for one in _all()] == [ReminderStatus.ACTIVE]

    said = ada.asks(UseTool("my__search_history", {"query": "walnut allergy"}))
    assert "I am allergic to walnuts" in said
    assert "forgotten" not in said
    assert "Left: $1.00" in ada.asks(UseTool("my__spending", {}))


def test_a_file_is_written_and_handed_over_and_nothing_else_of_the_cell(
    ada: Asker, storage: Storage
) -> None:
    said = ada.asks(
        UseTool("write", {"path": "files/plan.md", "content": "# Plan\n"}),
        UseTool("my__hand_over", {"path": "files/plan.md", "title": "The plan"}),
    )
    assert "Handed over: plan.md, 7 bytes." in said
    with unit_of_work() as db:
        (file,) = db.scalars(select(AnswerFile))
    assert (file.user_id, file.title) == (ada.user.id, "The plan")
    assert storage.get(file.storage_key) == b"# Plan\n"
    for path in ("../openclaw.json", "/cell/openclaw.json", "/etc/passwd", "files/none.md"):
        said = ada.asks(UseTool("my__hand_over", {"path": path}))
        assert "no such file" in said
