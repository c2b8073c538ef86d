"""What becomes of a message whose user changes it in their messenger: no word of it is lost."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from channels.inbound import FileKind, MessageArrived
from gateways.s3_files import Storage
from models.base import utc_now
from models.channels import accounts
from models.ledger import limits
from models.ledger.limits import Limits
from models.schema.channels import ChannelUpdate
from models.schema.users import User
from tests import factories
from tests.channels.loft import Hand, Loft, update_id
from tests.recordings import wav

SAYS_NOW = "I have changed my message; it says now:\n\n"


@pytest.fixture
def pictures(loft: Loft, storage: Storage) -> None:
    """What can be sent as an album."""
    assert storage
    loft.pigeon.files.update(a=b"A", b=b"B")


@pytest.fixture
def careful(db: Session, ada: User) -> None:
    """Ada is asked about messages that may cost more than a cent."""
    limits.choose(db, ada.id, Limits(message_micros=10_000))
    db.commit()


def test_an_edit_replaces_a_message_that_waits(loft: Loft, adas_bird: Hand) -> None:
    first = adas_bird.write("Buy milk")
    adas_bird.edit(first, "Buy oat milk")
    assert loft.messages() == ["Buy oat milk"]
    assert len(loft.jobs()) == 1


def test_an_edit_that_comes_too_late_is_a_message_that_says_so(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    first = adas_bird.write("Buy milk")
    assert factories.claim(db)
    db.commit()
    again = adas_bird.edit(first, "Buy oat milk")
    loft.receive(again)
    assert loft.messages() == [
        "Buy milk",
        "I have changed my message; it says now:\n\nBuy oat milk",
    ]


def test_an_edit_of_what_we_do_not_know_does_nothing(
    loft: Loft, adas_bird: Hand, eve: User
) -> None:
    loft.link(eve, "eve-outside")
    evil = loft.at("eve-outside")
    first = adas_bird.write("Buy milk")
    assert isinstance(first.inbound, MessageArrived)
    evil.edit(first, "Sell milk")
    assert loft.messages() == ["Buy milk"]
    assert loft.statuses() == ["done", "refused"]


@pytest.mark.usefixtures("pictures")
def test_of_an_album_with_two_captions_none_is_lost(loft: Loft, adas_bird: Hand) -> None:
    first = adas_bird.send_file("a", "This is the kichen", group_id="g")
    second = adas_bird.send_file("b", "This is the bth", group_id="g")
    loft.work()
    adas_bird.edit(second, "This is the bath")
    adas_bird.edit(first, "This is the kitchen")
    assert loft.messages() == [
        "This is the kichen\n\nThis is the bth",
        f"{SAYS_NOW}This is the bath",
        f"{SAYS_NOW}This is the kitchen",
    ]


@pytest.mark.usefixtures("pictures")
def test_the_only_caption_of_an_album_is_its_words(loft: Loft, adas_bird: Hand) -> None:
    first = adas_bird.send_file("a", group_id="g")
    second = adas_bird.send_file("b", "The bth", group_id="g")
    loft.work()
    adas_bird.edit(second, "The bath")
    assert loft.messages() == ["The bath"]
    adas_bird.edit(first, "The kitchen")
    assert loft.messages() == ["The bath", f"{SAYS_NOW}The kitchen"]


def test_a_reply_keeps_what_it_quotes_however_often_it_is_edited(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    first = adas_bird.write("Wat?", replies_to_id="7", replies_to_text="It rains.\nA lot.")
    adas_bird.edit(first, "What?")
    adas_bird.edit(first, "What is that?")
    assert loft.messages() == ["> It rains.\n> A lot.\n\nWhat is that?"]
    # Where its words stand is kept, and none of them.
    kept = db.scalars(sa.select(ChannelUpdate).order_by(ChannelUpdate.place)).first()
    assert kept
    assert (kept.payload, kept.details) == (None, {"own": [20, 0]})


@pytest.mark.parametrize("caption", ["", "What is tht?"])
def test_a_voice_message_keeps_what_was_heard(
    loft: Loft, adas_bird: Hand, storage: Storage, caption: str
) -> None:
    assert storage
    loft.pigeon.files["voice"] = wav(words="Water the beans.")
    spoken = adas_bird.send_file("voice", caption, kind=FileKind.VOICE, media_type="audio/wav")
    loft.work()
    adas_bird.edit(spoken, "What is that?")
    assert loft.messages() == ["What is that?\n\nWater the beans."]


def test_words_of_somebody_else_are_not_rewritten(loft: Loft, adas_bird: Hand) -> None:
    first = adas_bird.write("Buy now", forwarded_from="A shop")
    adas_bird.edit(first, "Sell now")
    assert loft.messages() == ["Forwarded from A shop:\n> Buy now", f"{SAYS_NOW}Sell now"]


@pytest.mark.usefixtures("careful")
def test_a_reply_that_is_asked_about_keeps_what_it_quotes(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    update = adas_bird.write("Long " * 3_000, replies_to_id="7", replies_to_text="It rains.")
    adas_bird.edit(update, "Longer " * 2_000)
    adas_bird.press(f"agree:{update_id(db, update)}")
    # Nor once it is agreed to.
    adas_bird.edit(update, "Short")
    assert loft.messages() == ["> It rains.\n\nShort"]


@pytest.mark.usefixtures("careful", "pictures")
def test_of_an_album_that_is_asked_about_no_caption_is_lost(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    first = adas_bird.send_file("a", "Long " * 3_000, group_id="g")
    adas_bird.send_file("b", "The bath", group_id="g")
    loft.work()
    edited = adas_bird.edit(first, "The kitchen")
    adas_bird.press(f"agree:{update_id(db, first)}")
    # It is another message, which is asked about like any.
    adas_bird.press(f"agree:{update_id(db, edited)}")
    album, another = loft.messages()
    assert another == f"{SAYS_NOW}The kitchen"
    assert album.startswith("Long Long")
    assert album.endswith("The bath")


def test_a_message_of_the_account_before_is_nobodys_to_edit(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, eve: User
) -> None:
    first = adas_bird.write("Buy milk")
    account = accounts.find_own(db, ada.id, "pigeon")
    assert account
    accounts.unlink(db, account)
    db.commit()
    loft.link(eve, "ada-outside")
    adas_bird.edit(first, "Sell milk")
    assert loft.notices() == []
    # Nothing waits behind it.
    adas_bird.write("And now?")
    assert loft.messages() == ["Buy milk", "And now?"]
    assert loft.statuses() == ["done", "refused", "done"]


def test_what_was_refused_is_another_message_once_it_is_edited(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    ada.sending_suspended_at = utc_now()
    db.commit()
    first = adas_bird.write("Helo?", replies_to_id="7", replies_to_text="It rains.")
    adas_bird.edit(first, "Helo there?")
    assert loft.statuses() == ["refused"] * 2
    ada.sending_suspended_at = None
    db.commit()
    adas_bird.edit(first, "Hello there?")
    assert loft.messages() == ["Hello there?"]
    # It is that message from now on.
    adas_bird.edit(first, "Hello, you there?")
    assert loft.messages() == ["Hello, you there?"]


@pytest.mark.usefixtures("pictures")
def test_what_was_refused_with_its_files_is_to_be_sent_again(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    ada.sending_suspended_at = utc_now()
    db.commit()
    first = adas_bird.send_file("a", "What is on thse?")
    loft.work()
    ada.sending_suspended_at = None
    db.commit()
    adas_bird.edit(first, "What is on these?")
    assert loft.messages() == []
    assert loft.notices()[-1] == "send_it_whole"


def test_an_edit_that_is_too_long_is_refused_in_words(loft: Loft, adas_bird: Hand) -> None:
    first = adas_bird.write("Buy milk")
    adas_bird.edit(first, "x" * 20_001)
    assert loft.messages() == ["Buy milk"]
    assert loft.notices() == ["message_too_long"]
    assert loft.statuses() == ["done", "refused"]
