# pyright: reportUnknownMemberType=false
"""What a newcomer sees after `make run`: asked in plain words, every tool does what it is for."""

from uuid import UUID

import pytest
from sqlalchemy import select

from agent.tools.registry import TOOLS
from models.schema.chat import Message
from models.schema.reminders import FiringOutcome, Reminder, ReminderFiring, ReminderStatus
from tests.house import House, Person, wait_for
from tests.models.reminders.making import make_due
from webapp.chat.suggestions import suggestions

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400), pytest.mark.xdist_group("house")]

# In one conversation: the words, and what their answer says.
TALK = (
    ("Remind me tomorrow at 8 to call mum", "08:00 Europe/Berlin"),
    ("Show my reminders", "#1 “call mum”"),
    ("Pause reminder 1", "paused"),
    ("Cancel reminder #1", "Cancelled: #1"),
    ("Every day at 8 check what I planned, tell me only if it never rains.", "Set: task #2"),
    ("Put milk and two eggs on my shopping list", "two eggs"),
    ("Remember that my cat is called Byron.", "Byron"),
    ("What did I say about my cat?", "Byron"),
    ("Forget that my cat is called Byron", "Taken out"),
    ("What have I spent?", "$"),
    ("How do credits work?", "credits"),
    ("Write me a file with eggs, milk and bread", "/files"),
    ("Look up the ferry timetable of Port Alder", "07:40"),
)


def test_every_tool_works_when_it_is_asked_for_in_plain_words(house: House) -> None:
    nora = house.person("Nora")
    talk: UUID | None = None
    amiss: list[tuple[str, str]] = []
    for words, told in TALK:
        outcome = nora.ask_and_wait(words, talk)
        talk = outcome.job.conversation_id
        if told not in outcome.answer:
            amiss.append((words, outcome.answer))
    assert amiss == []
    assert "eggs-milk-and-bread.md" in nora.browser.get("/files").text
    assert "two eggs" in nora.browser.get("/lists").text
    # Its time has come, and the condition does not hold.
    with house.database() as db, db.begin():
        task = db.scalars(
            select(Reminder).where(
                Reminder.user_id == nora.id, Reminder.status == ReminderStatus.ACTIVE
            )
        ).one()
        make_due(db, task)
    wait_for(lambda: _outcome(house, nora) is FiringOutcome.NOTHING, "the end of the task")
    assert {f"my__{tool.name}" for tool in TOOLS} <= _used(house)
    nora.assert_books_balance()


def test_a_reminder_fires_where_it_was_asked_for(house: House) -> None:
    nell = house.person("Nell")
    asked = nell.ask_and_wait("Remind me in 10 minutes to stretch.")
    with house.database() as db, db.begin():
        reminder = db.scalars(select(Reminder).where(Reminder.user_id == nell.id)).one()
        assert reminder.due_at
        # Its wait is counted in whole minutes, from the minute of the message.
        assert 480 <= (reminder.due_at - asked.job.created_at).total_seconds() <= 660
        make_due(db, reminder)
    said = wait_for(lambda: _said(house, asked.job.conversation_id), "the reminder")
    assert said == "**Reminder:** stretch"
    page = nell.browser.get(f"/chat/{asked.job.conversation_id}").text
    assert "stretch" in page
    assert "reminder-said" in page


def test_what_the_product_suggests_is_answered_sensibly(house: House) -> None:
    sue = house.person("Sue", needs="Repairing my bicycle")
    for words in suggestions("Repairing my bicycle"):
        answer = sue.ask_and_wait(words).answer
        assert len(answer) > 60
        assert "I don't know" not in answer
        assert "I am the demo model, so I cannot" not in answer


def _used(house: House) -> set[str]:
    """The tools that the demo model has called."""
    calls = (
        call["function"]["name"]
        for one in house.recorded()
        for message in one["body"].get("messages", ())
        for call in message.get("tool_calls") or ()
    )
    return set(calls)


def _outcome(house: House, person: Person) -> FiringOutcome | None:
    with house.database() as db:
        return db.scalar(select(ReminderFiring.outcome).where(ReminderFiring.user_id == person.id))


def _said(house: House, conversation_id: UUID) -> str | None:
    with house.database() as db:
        return db.scalar(
            select(Message.text).where(
                Message.conversation_id == conversation_id, Message.text.startswith("**Reminder")
            )
        )
