"""The lists of admins: what an entry does to its user, what its end undoes, and two at once."""

from threading import Barrier

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import new_id
from models.database import unit_of_work
from models.jobs import room
from models.ops import access_rule_actions, user_actions
from models.ops.admin_actions import Order
from models.ops.user_actions import StillListed
from models.people import users
from models.people.access_rules import HeldForReview
from models.schema.abuse import AccessRule, SubjectKind, Verdict
from models.schema.admins import AdminAction, AdminRole
from models.schema.users import User
from tests import factories


@pytest.fixture
def olga(db: Session) -> User:
    return owner(db, "olga@example.org")


def owner(db: Session, address: str) -> User:
    person = factories.user(db, address)
    users.set_admin_role(person, AdminRole.OWNER)
    db.flush()
    return person


def order(who: User) -> Order:
    return Order(who, "It looks odd.", new_id())


def put(db: Session, who: User, user: User, verdict: Verdict) -> AccessRule:
    subject = access_rule_actions.subject_of(db, SubjectKind.USER, user.email)
    access_rule_actions.set_rule(db, order(who), subject, verdict)
    standing = sa.select(AccessRule).where(AccessRule.ended_at.is_(None))
    return db.scalars(standing).one()


def end(db: Session, who: User, rule: AccessRule) -> None:
    access_rule_actions.end_rule(db, order(who), rule.id)


@pytest.mark.parametrize("verdict", Verdict)
def test_a_suspension_by_hand_outlasts_every_entry(
    db: Session, olga: User, ada: User, verdict: Verdict
) -> None:
    user_actions.suspend_sending(db, order(olga), ada.id, is_on=True)
    since = ada.sending_suspended_at
    end(db, olga, put(db, olga, ada, verdict))
    assert ada.sending_suspended_at == since
    put(db, olga, ada, Verdict.ALLOW)
    db.expire_all()
    assert ada.sending_suspended_at == since
    user_actions.suspend_sending(db, order(olga), ada.id, is_on=False)
    assert ada.sending_suspended_at is None


def test_one_that_was_lifted_by_hand_outlasts_nothing(db: Session, olga: User, ada: User) -> None:
    for is_on in (True, False):
        user_actions.suspend_sending(db, order(olga), ada.id, is_on=is_on)
    put(db, olga, ada, Verdict.HOLD)
    end(db, olga, put(db, olga, ada, Verdict.BLOCK))
    assert ada.sending_suspended_at is None
    room.refuse_if_unable(db, ada)


@pytest.mark.parametrize("is_by_hand_too", [False, True])
def test_who_is_held_is_not_let_send_by_hand(
    db: Session, olga: User, ada: User, *, is_by_hand_too: bool
) -> None:
    if is_by_hand_too:
        user_actions.suspend_sending(db, order(olga), ada.id, is_on=True)
    hold = put(db, olga, ada, Verdict.HOLD)
    with pytest.raises(StillListed):
        user_actions.suspend_sending(db, order(olga), ada.id, is_on=False)
    with pytest.raises(HeldForReview):
        room.refuse_if_unable(db, ada)
    end(db, olga, hold)
    assert (ada.sending_suspended_at is not None) is is_by_hand_too


def test_two_admins_list_the_same_at_once(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        admins = [owner(db, f"{name}@example.org").id for name in ("olga", "omar")]
    together = Barrier(2)

    def _list() -> None:
        with unit_of_work() as db:
            who = db.get_one(User, admins.pop())
            subject = access_rule_actions.subject_of(db, SubjectKind.DOMAIN, "odd.example")
            together.wait(timeout=5)
            access_rule_actions.set_rule(db, order(who), subject, Verdict.BLOCK)

    assert factories.in_parallel(2, _list) == [None, None]
    with Session(emptied) as db:
        rules = db.scalars(sa.select(AccessRule)).all()
        assert sorted(rule.ended_at is None for rule in rules) == [False, True]
        befores = [one.before["verdict"] for one in db.scalars(sa.select(AdminAction))]
        assert sorted(befores, key=str) == [None, "block"]
