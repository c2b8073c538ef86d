"""What comes in becomes a message like one from the website: once, in order, whatever happens."""

import json

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from actions.announcements import StreamPublisher
from actions.channels import receiving
from channels.inbound import GroupJoined, MessageArrived, Sender, Unsupported, Update
from gateways.s3_files import Storage
from models import ledger
from models.channels import accounts
from models.ledger import limits
from models.ledger.limits import Limits
from models.schema.channels import ChannelAccount, ChannelUpdate
from models.schema.chat import Conversation, Message
from models.schema.jobs import JobStatus
from models.schema.ledger import FreezeReason
from models.schema.users import User
from tests import factories
from tests.channels.loft import Hand, Loft

CENT = 10_000


def test_a_message_becomes_one_message_and_one_job_however_often_it_comes(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    first = adas_bird.write("What grows in shade?")
    with capture_logs() as lines:
        loft.receive(first)
        loft.receive(first, first)

    assert loft.messages() == ["What grows in shade?"]
    (job,) = loft.jobs()
    assert (job.user_id, job.status) == (ada.id, JobStatus.PENDING)
    assert db.scalars(sa.select(Message.channel)).one() == "pigeon"
    assert loft.statuses() == ["done"]
    assert [line["event"] for line in lines] == ["update.repeated"] * 3


def test_the_chat_goes_on_in_one_conversation_and_new_begins_another(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    adas_bird.write("One")
    adas_bird.write("Two")
    adas_bird.command("new")
    adas_bird.write("Three")
    adas_bird.write("Four")

    told = db.scalars(sa.select(Message.conversation_id).order_by(Message.id)).all()
    assert told[0] == told[1] != told[2] == told[3]
    assert loft.notices() == ["new_conversation"]


def test_it_goes_on_in_the_conversation_that_was_used_last(
    loft: Loft, db: Session, ada: User
) -> None:
    factories.job(db, ada, "Older")
    newer = factories.job(db, ada, "Newer")
    loft.link(ada, "ada-outside")
    loft.at("ada-outside").write("And this")
    assert [job.conversation_id for job in loft.jobs()][1:] == [newer.conversation_id] * 2


def test_what_has_been_handled_is_not_kept_in_words(adas_bird: Hand, db: Session) -> None:
    adas_bird.write("A secret")
    row = db.scalars(sa.select(ChannelUpdate)).one()
    assert (row.payload, row.details) == (None, {})


def test_updates_that_change_places_are_handled_in_their_order(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("1", at=10)
    adas_bird.write("3", at=12)
    adas_bird.write("4", at=13)
    assert loft.messages() == ["1"]
    adas_bird.write("2", at=11)
    assert loft.messages() == ["1", "2"]

    # Whoever was waited for lets the others go on: none of their time has to pass.
    loft.work(only_due=True)
    assert loft.messages() == ["1", "2", "3", "4"]
    assert loft.statuses() == ["done"] * 4


def test_a_number_that_never_comes_is_not_waited_for(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("1", at=10)
    adas_bird.write("3", at=12)
    loft.work(only_due=True)
    assert loft.messages() == ["1"]
    loft.work()
    assert loft.messages() == ["1", "3"]


def test_the_gap_is_of_the_channel_and_others_fill_it(
    loft: Loft, adas_bird: Hand, eve: User
) -> None:
    loft.link(eve, "eve-outside")
    adas_bird.write("Ada", at=10)
    adas_bird.write("Ada again", at=12)
    loft.at("eve-outside").write("Eve", at=11)
    loft.work(only_due=True)
    assert loft.messages() == ["Ada", "Eve", "Ada again"]


def test_the_first_update_of_all_waits_for_none(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("First", at=4_711)
    assert loft.messages() == ["First"]


def test_what_comes_after_a_file_waits_until_that_was_fetched(
    loft: Loft, adas_bird: Hand, storage: Storage
) -> None:
    assert storage
    loft.pigeon.files["notes"] = b"notes"
    adas_bird.send_file("notes", "Read this")
    adas_bird.write("And?")
    assert loft.messages() == []
    loft.work()
    assert loft.messages() == ["Read this", "And?"]


def test_an_update_that_fails_is_left_for_another_try_and_logged_once(
    loft: Loft, adas_bird: Hand, db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(receiving.commands.DONE, "help", _break)
    with capture_logs() as lines:
        adas_bird.command("help")
    assert [line["event"] for line in lines if line["log_level"] == "error"] == ["update.failed"]
    assert loft.statuses() == ["waiting"]
    monkeypatch.undo()
    loft.work()
    assert loft.statuses() == ["done"]
    assert loft.pigeon.chats["ada-outside"][0].text.startswith("Write, speak")


def _break(*_: object) -> None:
    raise ZeroDivisionError


def test_a_refusal_is_a_sentence_with_a_button(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    limits.choose(db, ada.id, Limits(day_micros=CENT))
    running = factories.running(db, ada)
    factories.charge(db, running, CENT)
    factories.answer(db, running)
    db.commit()
    adas_bird.write("One more")
    assert loft.notices() == ["day_limit_reached"]
    (row,) = loft.notice("day_limit_reached")["rows"]
    assert row[0]["url"].endswith("/limits")
    assert loft.statuses() == ["refused"]

    ledger.freeze(ada, FreezeReason.AUDIT)
    db.commit()
    adas_bird.write("And another")
    assert loft.notices()[-1] == "spending_frozen"


def test_what_cannot_be_read_is_refused_in_words_and_its_words_are_sent(
    loft: Loft, adas_bird: Hand
) -> None:
    adas_bird.write("", unsupported=Unsupported.VIDEO_NOTE)
    adas_bird.write("Look at this", unsupported=Unsupported.VIDEO)
    assert loft.notices() == ["unsupported_video_note", "unsupported_video"]
    assert loft.messages() == ["Look at this"]


def test_a_reply_and_a_forwarded_message_quote(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("Why?", replies_to_id="1", replies_to_text="It rains.\nA lot.")
    adas_bird.write("Buy now", forwarded_from="A\nshop")
    assert loft.messages() == [
        "> It rains.\n> A lot.\n\nWhy?",
        "Forwarded from A shop:\n> Buy now",
    ]


def test_a_user_who_blocks_us_is_sent_nothing_until_they_write_again(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    adas_bird.write("One")
    adas_bird.block()
    account = db.scalars(sa.select(ChannelAccount)).one()
    assert account.blocked_at is not None
    assert accounts.showing(db, loft.jobs()[0].conversation_id) == []
    loft.work()
    assert loft.pigeon.chats == {}

    adas_bird.write("I am back")
    db.refresh(account)
    assert account.blocked_at is None
    assert len(accounts.showing(db, loft.jobs()[1].conversation_id)) == 1


def test_in_a_group_it_is_said_once_and_left(loft: Loft) -> None:
    joined = Update(external_id="g1", number=1, inbound=GroupJoined(address="a-group"))
    loft.receive(joined, joined)
    loft.work()
    (said,) = loft.pigeon.texts("a-group")[:1]
    assert said.startswith("I talk in private chats only")
    assert loft.pigeon.calls[-1] == "leave a-group"
    assert loft.pigeon.calls.count("leave a-group") == 1


def test_what_cannot_be_kept_is_replaced(loft: Loft, adas_bird: Hand) -> None:
    adas_bird.write("Nul\x00, half \ud800.")
    assert loft.messages() == ["Nul\ufffd, half \ufffd."]


def test_updates_are_read_back_as_they_were_written() -> None:
    sender = Sender(account_id="1", address="2", name="Ada", language="de")
    update = Update(
        external_id="3", number=3, inbound=MessageArrived(sender=sender, message_id="4", text="5")
    )
    assert Update.model_validate(json.loads(update.model_dump_json())) == update


def test_a_deleted_conversation_is_left_and_another_one_begun(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    adas_bird.write("One")
    first = db.scalars(sa.select(Conversation)).one()
    accounts.release_conversation(db, first.id)
    db.commit()
    assert loft.notices() == []
    loft.work()
    assert loft.pigeon.chats == {}
    adas_bird.write("Two")
    assert len({job.conversation_id for job in loft.jobs()}) == 2


def test_updates_that_come_in_one_call_are_handled_in_their_order(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    come = [
        adas_bird.make(MessageArrived(sender=adas_bird.sender, message_id=f"m{n}", text=f"{n}"), n)
        for n in (3, 1, 2)
    ]
    receiving.receive(db, loft.pigeon, come, StreamPublisher())
    db.commit()
    assert loft.messages() == ["1", "2", "3"]
