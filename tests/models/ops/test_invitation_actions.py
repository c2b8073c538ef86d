"""Whom the verbs of invitations and lists refuse, whoever calls them; and who did it, on record."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import new_id
from models.ops import access_rule_actions, invitation_actions
from models.ops.access_rule_actions import Subject
from models.ops.admin_actions import Order, OwnAdminAccount, ReasonMissing
from models.ops.invitation_actions import Plan
from models.people import users, waiting_list
from models.people.admin_roles import NotOfThisRole
from models.schema.abuse import AccessRule, SubjectKind, Verdict
from models.schema.admins import AdminAction, AdminRole
from models.schema.invitations import Invitation, WaitingAddress
from models.schema.users import User
from tests import factories

DOMAIN = Subject(SubjectKind.DOMAIN, "odd.example", "odd.example")


def admin(db: Session, role: AdminRole | None) -> User:
    person = factories.user(db, "grace@example.org")
    users.set_admin_role(person, role)
    return person


def attempts(db: Session) -> list[Callable[[Order], object]]:
    """Everything that can be done about invitations and lists."""
    invitation = factories.invitation(db)
    rule = AccessRule(
        subject_kind=SubjectKind.DOMAIN, subject="b.example", shown="b.example",
        verdict=Verdict.HOLD, reason="x",
    )  # fmt: skip
    db.add(rule)
    waiting_list.join(db, "waits@example.org")
    db.flush()
    return [
        lambda order: invitation_actions.make(db, order, Plan("Friends", 1, 0, None)),
        lambda order: invitation_actions.end(db, order, invitation.id),
        lambda order: invitation_actions.invite_waiting(db, order, 1, 0),
        lambda order: access_rule_actions.set_rule(db, order, DOMAIN, Verdict.BLOCK),
        lambda order: access_rule_actions.end_rule(db, order, rule.id),
    ]


@pytest.mark.parametrize("role", [None, AdminRole.VIEWER])
def test_who_may_not_act_changes_nothing(db: Session, role: AdminRole | None) -> None:
    person = admin(db, role)
    for attempt in attempts(db):
        with pytest.raises(NotOfThisRole):
            attempt(Order(person, "Because.", new_id()))
    assert db.scalar(sa.select(sa.func.count(AdminAction.id))) == 0
    assert db.scalar(sa.select(sa.func.count(Invitation.id))) == 1
    assert db.scalars(sa.select(WaitingAddress.invited_at)).all() == [None]


def test_each_is_done_once_under_its_key_and_needs_a_reason(db: Session) -> None:
    person = admin(db, AdminRole.SUPPORT)
    found = attempts(db)
    for attempt in found:
        with pytest.raises(ReasonMissing):
            attempt(Order(person, " ", new_id()))
        once = Order(person, "Because.", new_id())
        attempt(once)
        attempt(once)
    kinds = db.scalars(sa.select(AdminAction.kind).order_by(AdminAction.id)).all()
    assert kinds == [
        *("invitation_made", "invitation_ended", "waiting_invited"),
        *("rule_set", "rule_ended"),
    ]
    assert db.scalar(sa.select(sa.func.count(Invitation.id))) == 3


def test_support_promises_no_credit(db: Session) -> None:
    person = admin(db, AdminRole.SUPPORT)
    waiting_list.join(db, "waits@example.org")
    order = Order(person, "Because.", new_id())
    with pytest.raises(NotOfThisRole):
        invitation_actions.make(db, order, Plan("Friends", 1, 1, None))
    with pytest.raises(NotOfThisRole):
        invitation_actions.invite_waiting(db, order, 1, 1)


def test_nobody_takes_themselves_off_a_list(db: Session) -> None:
    person = admin(db, AdminRole.SUPPORT)
    subject = access_rule_actions.subject_of(db, SubjectKind.USER, person.email)
    with pytest.raises(OwnAdminAccount):
        access_rule_actions.set_rule(db, Order(person, "Me.", new_id()), subject, Verdict.ALLOW)
