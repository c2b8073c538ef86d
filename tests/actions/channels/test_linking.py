"""Whose messenger it is: each side proves itself, nobody is taken over, and both are told."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from actions.channels import linking
from models.base import utc_now
from models.channels import accounts, links
from models.channels.accounts import LinkedElsewhere, OtherLinked
from models.channels.links import LinkGone
from models.ledger import limits
from models.ledger.limits import Limits
from models.people import identities, password_reset, sign_out
from models.schema.channels import ChannelAccount, ChannelLink, ChannelUpdate, Delivery
from models.schema.emails import Email
from models.schema.users import User
from tests import factories
from tests.channels.loft import Hand, Loft, update_id


def linked(db: Session) -> dict[str, str]:
    """Whose each outside account is, by address."""
    rows = db.execute(
        sa.select(ChannelAccount.account_id, User.email).join(
            User, User.id == ChannelAccount.user_id
        )
    )
    return {row[0]: row[1] for row in rows}


def code_of(loft: Loft, user: User) -> str:
    code = linking.code_for(loft.db, user, "pigeon")
    loft.db.commit()
    return code


def offered(loft: Loft) -> str:
    """The secret of the link that a stranger was shown last."""
    ((button,),) = loft.notice("stranger")["rows"]
    return button["url"].rpartition("/")[2]


def mails(db: Session) -> list[str]:
    return list(db.scalars(sa.select(Email.recipient).where(Email.kind == "channel_linked")))


def test_a_code_links_whoever_opens_it_and_both_are_told(
    loft: Loft, db: Session, ada: User
) -> None:
    loft.at("ada-outside").command("start", code_of(loft, ada))
    assert linked(db) == {"ada-outside": ada.email}
    assert loft.notices() == ["linked"]
    assert mails(db) == [ada.email]
    letter = db.scalars(sa.select(Email).where(Email.kind == "channel_linked")).one()
    assert "Pigeon (A. Bird)" in letter.text_body


def test_a_code_works_once(loft: Loft, db: Session, ada: User) -> None:
    code = code_of(loft, ada)
    loft.at("ada-outside").command("start", code)
    loft.at("somebody").command("start", code)
    assert linked(db) == {"ada-outside": ada.email}
    assert loft.notices() == ["linked", "link_gone"]
    # An impatient finger.
    loft.at("ada-outside").command("start", code)
    assert loft.notices()[-1] == "help"


def test_a_code_expires_and_a_newer_one_ends_it(loft: Loft, db: Session, ada: User) -> None:
    code = code_of(loft, ada)
    with time_machine.travel(utc_now() + timedelta(minutes=61)):
        loft.at("late").command("start", code)
    older, newer = code_of(loft, ada), code_of(loft, ada)
    loft.at("early").command("start", older)
    assert linked(db) == {}
    assert loft.notices() == ["link_gone"] * 2
    loft.at("ada-outside").command("start", newer)
    assert linked(db) == {"ada-outside": ada.email}


def test_a_code_of_another_channel_or_a_made_up_one_links_nothing(
    loft: Loft, db: Session, ada: User
) -> None:
    other = links.make_for_user(db, ada.id, "telegraph")
    loft.at("ada-outside").command("start", other)
    loft.at("ada-outside").command("start", "x" * 32)
    assert linked(db) == {}


def test_codes_are_kept_as_hashes(loft: Loft, db: Session, ada: User) -> None:
    code = code_of(loft, ada)
    row = db.scalars(sa.select(ChannelLink)).one()
    assert code.encode() not in row.secret_hash


def test_logging_out_everywhere_and_a_new_password_end_codes(
    loft: Loft, db: Session, ada: User
) -> None:
    code = code_of(loft, ada)
    sign_out.everywhere_else(db, ada.id, keep=ada.id)
    loft.at("thief").command("start", code)
    code = code_of(loft, ada)
    given = {"old": factories.PASSWORD, "new": "another horse battery"}
    password_reset.change(db, ada, **given, keep=ada.id)
    loft.at("thief").command("start", code)
    assert linked(db) == {}
    assert loft.notices() == ["link_gone"] * 2


def test_a_stranger_is_shown_how_to_become_a_user(loft: Loft, db: Session, ada: User) -> None:
    stranger = loft.at("stranger")
    stranger.write("Hello?")
    first = offered(loft)
    stranger.command("start")
    assert loft.notices() == ["stranger"] * 2
    assert loft.messages() == []

    # Whoever writes twice can open what they were shown first.
    assert first != offered(loft)
    linking.confirm(db, ada, "pigeon", first)
    db.commit()
    assert linked(db) == {"stranger": ada.email}
    assert loft.notices()[-1] == "linked"
    assert mails(db) == [ada.email]
    stranger.write("Hello again")
    assert loft.messages() == ["Hello again"]


def test_so_many_links_of_a_stranger_work_and_none_once_one_was_used(
    loft: Loft, db: Session, ada: User, eve: User
) -> None:
    secrets: list[str] = []
    for _ in range(links.MOST_OFFERED + 1):
        loft.at("stranger").write("Hello?")
        secrets.append(offered(loft))
    loft.at("other").write("Hello?")
    with pytest.raises(LinkGone):
        linking.confirm(db, ada, "pigeon", secrets[0])
    linking.confirm(db, ada, "pigeon", secrets[1])
    accounts.unlink_all(db, ada.id)
    for secret in secrets:
        with pytest.raises(LinkGone):
            linking.confirm(db, eve, "pigeon", secret)
    linking.confirm(db, eve, "pigeon", offered(loft))
    assert linked(db) == {"other": eve.email}


def test_a_code_ends_the_links_that_a_stranger_was_shown(
    loft: Loft, db: Session, ada: User, eve: User
) -> None:
    loft.at("stranger").write("Hello?")
    loft.at("stranger").command("start", code_of(loft, ada))
    accounts.unlink_all(db, ada.id)
    with pytest.raises(LinkGone):
        linking.confirm(db, eve, "pigeon", offered(loft))


def test_another_code_in_a_linked_chat_is_answered(loft: Loft, db: Session, ada: User) -> None:
    loft.at("ada-outside").command("start", code_of(loft, ada))
    loft.at("ada-outside").command("start", code_of(loft, ada))
    assert loft.notices() == ["linked", "linked_already"]
    assert linked(db) == {"ada-outside": ada.email}
    assert mails(db) == [ada.email]


def test_the_link_of_a_stranger_works_once(loft: Loft, db: Session, ada: User, eve: User) -> None:
    loft.at("stranger").command("start")
    secret = offered(loft)
    linking.confirm(db, ada, "pigeon", secret)
    with pytest.raises(LinkGone):
        linking.confirm(db, eve, "pigeon", secret)
    assert linked(db) == {"stranger": ada.email}


def test_the_link_of_a_stranger_is_no_code_and_a_code_no_link(
    loft: Loft, db: Session, ada: User, eve: User
) -> None:
    loft.at("stranger").command("start")
    loft.at("other").command("start", offered(loft))
    assert loft.notices()[-1] == "link_gone"
    with pytest.raises(LinkGone):
        linking.confirm(db, eve, "pigeon", code_of(loft, ada))
    assert linked(db) == {}


def test_a_linked_messenger_is_taken_over_by_nobody(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, eve: User
) -> None:
    adas_bird.command("start", code_of(loft, eve))
    assert loft.notices() == ["linked_elsewhere"]
    secret = links.make_for_outside(db, "pigeon", "ada-outside", "ada-outside", "A. Bird")
    with pytest.raises(LinkedElsewhere):
        linking.confirm(db, eve, "pigeon", secret)
    assert linked(db) == {"ada-outside": ada.email}


def test_a_second_messenger_is_refused_and_the_first_is_told(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    loft.at("thief").command("start", code_of(loft, ada))
    assert linked(db) == {"ada-outside": ada.email}
    said = db.execute(
        sa.select(Delivery.address, Delivery.content["code"].astext).order_by(Delivery.number)
    ).all()
    assert sorted(said) == [("ada-outside", "link_tried"), ("thief", "other_linked")]
    secret = links.make_for_outside(db, "pigeon", "thief", "thief", "T.")
    with pytest.raises(OtherLinked):
        linking.confirm(db, ada, "pigeon", secret)


def test_it_is_let_go_of_from_the_messenger_after_a_question(
    loft: Loft, adas_bird: Hand, db: Session
) -> None:
    adas_bird.write("Hello?")
    adas_bird.press("unlink:ask")
    assert linked(db) != {}
    adas_bird.press("unlink:yes")
    assert linked(db) == {}
    # What waited for it is not sent; that it is let go of is.
    loft.work()
    assert loft.pigeon.texts("ada-outside")[-1].startswith("This chat is disconnected")
    assert not any("Hello" in text for text in loft.pigeon.texts("ada-outside"))


def test_it_is_let_go_of_from_the_website_and_can_be_linked_again(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, eve: User
) -> None:
    account = accounts.find_own(db, ada.id, "pigeon")
    assert account
    linking.unlink(db, account)
    db.commit()
    assert loft.notices() == ["unlinked"]
    adas_bird.write("Who am I?")
    assert loft.notices()[-1] == "stranger"
    adas_bird.command("start", code_of(loft, eve))
    assert linked(db) == {"ada-outside": eve.email}


@pytest.mark.parametrize("is_late", [False, True])
def test_what_was_asked_is_agreed_to_by_nobody_else_and_forgotten(
    loft: Loft, adas_bird: Hand, db: Session, ada: User, eve: User, *, is_late: bool
) -> None:
    limits.choose(db, ada.id, Limits(message_micros=10_000))
    db.commit()
    asked = adas_bird.write("A secret " * 2_000)
    assert loft.statuses() == ["asked"]
    before = db.execute(sa.select(ChannelUpdate.payload, ChannelUpdate.details)).one()
    accounts.unlink_all(db, ada.id)
    if is_late:
        # It was asked just while the messenger was let go of.
        values = {"status": "asked", "payload": before[0], "details": before[1]}
        db.execute(sa.update(ChannelUpdate).values(values))
        loft.link(eve, "ada-outside")
    row = db.scalars(sa.select(ChannelUpdate).execution_options(populate_existing=True)).one()
    assert (row.status, row.payload, row.details) == ("refused", None, {})
    if not is_late:
        loft.link(eve, "ada-outside")
    adas_bird.press(f"agree:{update_id(db, asked)}")
    assert loft.jobs() == []


def test_it_goes_on_in_a_conversation_of_the_website(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    elsewhere = factories.job(db, ada, "On the web")
    account = accounts.find_own(db, ada.id, "pigeon")
    assert account
    linking.continue_in(db, account, elsewhere.conversation_id, "On the *web*")
    linking.continue_in(db, account, elsewhere.conversation_id, "On the *web*")
    db.commit()
    assert loft.notices() == ["continued"]
    assert "On the \\*web\\*" in loft.notice("continued")["text"]
    adas_bird.write("Here I am")
    assert loft.jobs()[-1].conversation_id == elsewhere.conversation_id


def test_who_proves_that_an_account_is_theirs_finds_no_messenger_of_another(
    loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    identities.disconnect_all(db, ada.id)
    assert linked(db) == {}


def test_a_deleted_account_takes_its_messengers_along() -> None:
    targets = {
        (key.parent.table.name, key.ondelete)
        for table in (ChannelAccount, ChannelLink, Delivery)
        for key in table.__table__.foreign_keys
        if key.column.table.name == "users"
    }
    assert targets == {
        ("channel_accounts", "CASCADE"),
        ("channel_links", "CASCADE"),
        ("deliveries", "CASCADE"),
    }
