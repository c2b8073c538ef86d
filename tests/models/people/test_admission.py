"""Who may begin an account: everybody, who has a code, or nobody."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.ops import switches
from models.people import (
    access_rules,
    invitations,
    provider_sign_in,
    sign_ups,
    waiting_list,
)
from models.people.admission import InvitationNeeded, SignUpBlocked, SignUpClosed
from models.people.identities import ProvenIdentity
from models.people.identity_keys import hashed
from models.people.invitations import InvitationOver
from models.schema.abuse import AccessRule, SubjectKind, Verdict
from models.schema.invitations import Invitation, InvitationUse, WaitingAddress
from models.schema.ledger import Transaction
from models.schema.switches import SwitchVersion
from models.schema.users import User
from tests import factories
from tests.models.people.test_password_reset import mails, secret_in

HERE = "8.8.8.8"


def sign_up_is(db: Session, rule: str) -> None:
    """Somebody has switched signing up to this."""
    db.add(
        SwitchVersion(
            version=1,
            switches={"sign_up": rule},
            admin_id=new_id(),
            admin_email="olga@example.org",
            reason="A test.",
        )
    )
    db.flush()
    switches.forget()


def at_once(db: Session, name: str, code: str = "") -> User:
    return sign_ups.at_once(
        db, f"{name}@example.org", factories.PASSWORD, code=code, network_address=HERE
    )


def test_nobody_begins_an_account_while_signing_up_is_closed(db: Session) -> None:
    code = factories.invitation(db).code
    sign_up_is(db, "closed")
    for typed in ("", code):
        with pytest.raises(SignUpClosed):
            at_once(db, "grace", typed)
        with pytest.raises(SignUpClosed):
            sign_ups.ask(db, "grace@example.org", factories.PASSWORD, code=typed)
        with pytest.raises(SignUpClosed):
            proven = ProvenIdentity("subject", "grace@example.org")
            provider_sign_in.enter(db, proven, network_address=HERE, code=typed)
    assert db.scalar(sa.select(sa.func.count(User.id))) == 0


def test_an_invitation_lets_as_many_in_as_it_says(db: Session) -> None:
    sign_up_is(db, "invite_only")
    invitation = factories.invitation(db, uses=2, bonus=500_000)
    with pytest.raises(InvitationNeeded):
        at_once(db, "grace")
    for name in ("grace", "ada"):
        user = at_once(db, name, invitation.code.lower().replace("-", " "))
        use = db.get_one(InvitationUse, user.id)
        assert use.invitation_id == invitation.id
        bonus = sa.select(Transaction.amount_micros).where(
            Transaction.reference == f"invitation:{user.id}"
        )
        assert db.scalars(bonus).all() == [500_000]
    with pytest.raises(InvitationOver):
        at_once(db, "eve", invitation.code)
    assert (invitation.uses, db.scalar(sa.select(sa.func.count(User.id)))) == (2, 2)


def test_an_account_that_goes_gives_no_place_free(db: Session) -> None:
    sign_up_is(db, "invite_only")
    invitation = factories.invitation(db)
    user = at_once(db, "grace", invitation.code)
    with factories.rewriting(db):
        db.execute(sa.delete(Transaction))
    db.delete(user)
    db.flush()
    assert db.scalar(sa.select(sa.func.count()).select_from(InvitationUse)) == 0
    with pytest.raises(InvitationOver):
        at_once(db, "eve", invitation.code)


def test_codes_that_are_over_or_made_up_count_for_nothing(db: Session) -> None:
    expired = factories.invitation(db, expires_at=utc_now() - timedelta(seconds=1))
    ended = factories.invitation(db)
    ended.ended_at = utc_now()
    db.flush()
    for code in (expired.code, ended.code, "AAAAA-AAAAA", "?"):
        with pytest.raises(InvitationOver):
            invitations.find(db, code)
        # Also where none is needed: who has one counts on its bonus.
        with pytest.raises(InvitationOver):
            at_once(db, "grace", code)


def test_the_code_of_a_mailed_link_is_used_when_the_account_begins(
    db: Session, adjust: Callable[..., None]
) -> None:
    adjust(VERIFY_EMAIL="true", SIGN_UP_BY_MAIL="true")
    sign_up_is(db, "invite_only")
    invitation = factories.invitation(db)
    asked = [
        sign_ups.ask(db, f"{name}@example.org", factories.PASSWORD, code=invitation.code)
        for name in ("grace", "eve")
    ]
    assert invitation.uses == 0
    secrets = [mail_secret(db, one.address) for one in asked]
    sign_ups.confirm(db, secrets[0], browser=asked[0].id, password="", network_address=HERE)
    db.refresh(invitation)
    assert invitation.uses == 1
    with pytest.raises(InvitationOver):
        sign_ups.confirm(db, secrets[1], browser=asked[1].id, password="", network_address=HERE)


def mail_secret(db: Session, address: str) -> str:
    while sign_ups.answer_next(db):
        pass
    return secret_in(mails(db, address)[-1])


def test_one_code_for_one_is_used_once_by_many_at_the_same_time(emptied: sa.Engine) -> None:
    with Session(emptied) as db, db.begin():
        code = factories.invitation(db).code

    def _come() -> None:
        with Session(emptied) as db, db.begin():
            sign_ups.at_once(db, f"{new_id()}@example.org", factories.PASSWORD, code=code)

    outcomes = factories.in_parallel(4, _come)
    assert [type(one) for one in outcomes if one is not None] == [InvitationOver] * 3
    with Session(emptied) as db:
        assert db.scalars(sa.select(Invitation.uses)).all() == [1]
        assert db.scalar(sa.select(sa.func.count(User.id))) == 1


def test_blocked_networks_and_domains_begin_no_account(db: Session) -> None:
    rules = (
        (SubjectKind.DOMAIN, "example.org", Verdict.BLOCK),
        (SubjectKind.NETWORK, hashed("network", "8.8.8.0/24"), Verdict.ALLOW),
    )
    block, allow = (
        AccessRule(subject_kind=kind, subject=subject, shown=subject, verdict=verdict, reason="x")
        for kind, subject, verdict in rules
    )
    db.add(block)
    db.flush()
    with pytest.raises(SignUpBlocked):
        at_once(db, "grace")
    # What names somebody more closely counts.
    db.add(allow)
    db.flush()
    assert access_rules.verdict_on(db, "a@sub.example.org", "9.9.9.9") is Verdict.BLOCK
    assert at_once(db, "grace").email == "grace@example.org"


def test_who_waits_is_listed_and_mailed_once_and_leaves_with_an_account(db: Session) -> None:
    for _ in range(2):
        waiting_list.join(db, " Grace@Example.org")
    assert len(mails(db, "grace@example.org")) == 1
    assert waiting_list.count(db) == 1
    factories.user(db, "ada@example.org")
    waiting_list.join(db, "ada@example.org")
    assert waiting_list.count(db) == 1
    at_once(db, "grace")
    assert db.scalars(sa.select(WaitingAddress)).all() == []


def test_who_let_a_code_lapse_waits_again_behind_the_others(db: Session) -> None:
    for name in ("grace", "wanda"):
        waiting_list.join(db, f"{name}@example.org")
    grace, wanda = waiting_list.lock_first(db, 2)
    invitation = factories.invitation(db)
    grace.invited_at, grace.invitation_id = utc_now(), invitation.id
    db.flush()
    waiting_list.join(db, grace.address)
    # The code that she was sent still lets her in.
    assert [one.address for one in waiting_list.lock_first(db, 2)] == [wanda.address]
    invitation.expires_at = utc_now() - timedelta(days=1)
    for _ in range(2):
        waiting_list.join(db, "grace@example.org")
    waits = waiting_list.lock_first(db, 3)
    assert [one.address for one in waits] == ["wanda@example.org", "grace@example.org"]
    assert len(mails(db, "grace@example.org")) == 2
