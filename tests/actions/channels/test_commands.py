"""What commands and buttons do, and whose they are."""

from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import reminders
from actions.channels import notices
from gateways.s3_files import Storage
from models.ledger import limits
from models.ledger.limits import Limits
from models.reminders import queries
from models.reminders import reminders as mine
from models.schema.channels import ChannelUpdate, UpdateStatus
from models.schema.jobs import JobStatus
from models.schema.reminders import ReminderStatus, Repeats
from models.schema.users import User
from telegram_bot.commands import MENU
from tests import factories
from tests.channels.loft import Hand, Loft, update_id
from tests.models.reminders.making import made, make_due

CENT = 10_000


class TestAskedFirst:
    """A message that may cost more than its user lets one cost."""

    @pytest.fixture
    def careful(self, db: Session, ada: User) -> None:
        limits.choose(db, ada.id, Limits(message_micros=CENT))
        db.commit()

    @pytest.fixture
    def asked(self, careful: None, adas_bird: Hand, loft: Loft, db: Session) -> UUID:
        update = adas_bird.write("Long " * 3_000)
        assert loft.messages() == []
        assert loft.notices() == ["confirm_cost"]
        return update_id(db, update)

    def test_it_is_sent_once_the_user_agrees(
        self, loft: Loft, adas_bird: Hand, asked: UUID, db: Session
    ) -> None:
        (row,) = loft.notice("confirm_cost")["rows"]
        assert [button["data"] for button in row] == [f"agree:{asked}", f"drop:{asked}"]
        adas_bird.press(f"agree:{asked}")
        adas_bird.press(f"agree:{asked}")
        (job,) = loft.jobs()
        assert (job.cost_limit_micros or 0) > CENT
        row = db.get_one(ChannelUpdate, asked, populate_existing=True)
        assert (row.status, row.payload, row.details) == (UpdateStatus.DONE, None, {})

    def test_it_is_dropped_if_the_user_says_so(
        self, loft: Loft, adas_bird: Hand, asked: UUID
    ) -> None:
        adas_bird.press(f"drop:{asked}")
        adas_bird.press(f"agree:{asked}")
        assert loft.messages() == []
        assert loft.notices() == ["confirm_cost", "dropped"]

    def test_nobody_else_agrees(self, loft: Loft, asked: UUID, eve: User, adas_bird: Hand) -> None:
        loft.link(eve, "eve-outside")
        loft.at("eve-outside").press(f"agree:{asked}")
        loft.at("eve-outside").press(f"drop:{asked}")
        assert loft.messages() == []
        adas_bird.press(f"agree:{asked}")
        assert len(loft.messages()) == 1

    @pytest.mark.parametrize("verb", ["agree", "drop"])
    def test_of_an_album_every_part_is_over_then(
        self, careful: None, loft: Loft, adas_bird: Hand, db: Session, storage: Storage, verb: str
    ) -> None:
        assert storage
        loft.pigeon.files.update(a=b"A", b=b"B")
        first = adas_bird.send_file("a", "Long " * 3_000, group_id="g")
        adas_bird.send_file("b", "A secret", group_id="g")
        loft.work()
        assert loft.statuses() == ["asked", "asked"]
        adas_bird.press(f"{verb}:{update_id(db, first)}")
        assert set(loft.statuses()[:2]) == {"done" if verb == "agree" else "refused"}
        rows = db.scalars(sa.select(ChannelUpdate).execution_options(populate_existing=True)).all()
        assert [row.payload for row in rows] == [None] * 3
        assert "Long" not in str([row.details for row in rows])

    def test_a_part_of_a_message_is_asked_about_by_nobody(
        self, careful: None, loft: Loft, adas_bird: Hand, db: Session
    ) -> None:
        adas_bird.write("Long " * 3_000, cut_at="\n", written_at=9)
        second = adas_bird.write("and so on", written_at=9)
        loft.work()
        adas_bird.press(f"agree:{update_id(db, second)}")
        assert loft.messages() == []
        assert loft.statuses() == ["asked", "asked", "done"]

    def test_what_was_edited_meanwhile_is_sent(
        self, careful: None, loft: Loft, adas_bird: Hand, db: Session
    ) -> None:
        update = adas_bird.write("Long " * 3_000)
        adas_bird.edit(update, "Longer " * 2_000)
        adas_bird.press(f"agree:{update_id(db, update)}")
        assert loft.messages()[0].startswith("Longer ")


def test_a_command_that_is_none_is_answered(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.command("dance")
    assert loft.notices() == ["unknown_command"]


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("help", "help"),
        ("usage", "usage"),
        ("limits", "limits"),
        ("model", "models"),
        ("unlink", "unlink_question"),
        ("stop", "nothing_to_stop"),
        ("start", "help"),
        ("reminders", "reminders"),
    ],
)
def test_each_command_is_answered(loft: Loft, adas_bird: Hand, command: str, code: str) -> None:
    adas_bird.command(command)
    assert loft.notices() == [code]


def test_ones_own_reminders_are_listed_and_nobody_elses(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, eve: User
) -> None:
    made(db, ada, "Water the plants")
    made(db, eve, "Rob a bank")
    db.commit()
    adas_bird.command("reminders")
    said = loft.notice("reminders")
    assert "Water the plants" in said["text"]
    assert "bank" not in said["text"]
    assert said["rows"][0][0]["url"].endswith("/reminders")


def test_the_menu_of_telegram_says_what_the_commands_do() -> None:
    assert {one.name: one.description for one in MENU} == notices.COMMANDS


def test_words_behind_new_begin_the_conversation(loft: Loft, adas_bird: Hand, db: Session) -> None:
    adas_bird.write("One")
    loft.receive(adas_bird.command("new", "Plan a trip to Rome"))
    adas_bird.write("In May")
    assert loft.messages() == ["One", "Plan a trip to Rome", "In May"]
    first, second, third = (job.conversation_id for job in loft.jobs())
    assert first != second == third
    assert loft.notices() == []


def test_words_behind_new_are_asked_about_like_any(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    limits.choose(db, ada.id, Limits(message_micros=CENT))
    db.commit()
    update = adas_bird.command("new", "Long " * 100)
    assert loft.statuses() == ["asked"]
    adas_bird.press(f"agree:{update_id(db, update)}")
    assert loft.messages() == ["Long " * 100]


def test_stop_stops_what_is_being_answered(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("One")
    adas_bird.command("stop")
    assert [job.status for job in loft.jobs()] == [JobStatus.CANCELLED]


def test_a_model_is_chosen_by_command_and_by_button(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    adas_bird.command("model", factories.MODEL)
    adas_bird.press(f"model:{factories.MODEL}")
    adas_bird.press("model:nobody/none")
    assert loft.notices() == ["model_chosen", "model_chosen", "not_offered"]
    db.refresh(ada)
    assert ada.model == factories.MODEL


def test_buttons_of_another_user_do_nothing(
    loft: Loft, adas_bird: Hand, db: Session, eve: User
) -> None:
    loft.link(eve, "eve-outside")
    evil = loft.at("eve-outside")
    adas_bird.write("One")
    (job,) = loft.jobs()
    for data in (f"stop:{job.id}", f"retry:{job.id}", f"more:{job.id}", "stop:nonsense", "fly:1"):
        evil.press(data)
    assert [one.status for one in loft.jobs()] == [JobStatus.PENDING]
    assert loft.notices() == []

    adas_bird.press(f"stop:{job.id}")
    assert [one.status for one in loft.jobs()] == [JobStatus.CANCELLED]
    adas_bird.press(f"retry:{job.id}")
    assert [one.status for one in loft.jobs()] == [JobStatus.CANCELLED, JobStatus.PENDING]


def test_every_press_is_acknowledged_once(loft: Loft, adas_bird: Hand) -> None:
    press = adas_bird.press("fly:1")
    loft.receive(press)
    loft.work()
    assert loft.pigeon.calls == ["acknowledge press-1"]


def test_a_reminder_is_snoozed_and_ticked_off_by_its_user_alone(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, eve: User
) -> None:
    reminder = made(db, ada)
    make_due(db, reminder)
    db.commit()
    reminders.fire_due()
    later, (done,) = loft.notice("reminder")["rows"]
    loft.link(eve, "eve-outside")
    for button in (*later, done):
        loft.at("eve-outside").press(button["data"])
    db.refresh(reminder)
    assert reminder.status is ReminderStatus.ENDED
    adas_bird.press(later[0]["data"])
    db.refresh(reminder)
    assert reminder.snoozed_until is not None
    adas_bird.press("snooze:never:" + later[0]["data"].rpartition(":")[2])
    adas_bird.press(done["data"])
    assert loft.notices()[-2:] == ["snoozed", "ticked_off"]


def test_of_a_reminder_that_is_paused_or_gone_it_is_said_so(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    reminder = made(db, ada, repeats=Repeats.DAILY)
    make_due(db, reminder)
    db.commit()
    reminders.fire_due()
    later, (done,) = loft.notice("reminder")["rows"]
    mine.pause(db, queries.find_own(db, ada.id, reminder.id))
    db.commit()
    adas_bird.press(later[0]["data"])
    assert loft.notices()[-1] == "reminder_paused"
    assert reminder.snoozed_until is None
    mine.delete(db, queries.find_own(db, ada.id, reminder.id))
    db.commit()
    adas_bird.press(later[0]["data"])
    adas_bird.press(done["data"])
    assert loft.notices()[-2:] == ["reminder_gone"] * 2
