"""What admins do to accounts: by role, with a reason, once under a key, and on record.

Olga owns the business, Sam helps users, Vic looks.
"""

from collections.abc import Callable, Sequence
from datetime import timedelta
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.errors import NotFound, Refused
from models.ledger import freezes
from models.ops import adjustment_approvals, admin_actions, user_actions
from models.ops.adjustment_approvals import AlreadyDecided, NotEnoughToTake, OwnRequest
from models.ops.admin_actions import (
    AccountOfAnAdmin,
    Order,
    OwnAdminAccount,
    ReasonMissing,
    ReasonTooLong,
)
from models.ops.user_actions import (
    AlreadyInThatState,
    AlreadyVerified,
    NothingToAdjust,
)
from models.people import sessions, users
from models.people.admin_roles import NotOfThisRole
from models.people.sessions import SignInSuspended
from models.schema.admins import AdminAction, AdminActionKind, AdminRole
from models.schema.jobs import JobStatus
from models.schema.ledger import EntryKind, FreezeReason, Transaction
from models.schema.users import User
from tests import factories

DOLLAR = 1_000_000


def admin(db: Session, role: AdminRole, name: str) -> User:
    person = factories.user(db, f"{name.lower()}@example.org", name=name)
    users.set_admin_role(person, role)
    db.flush()
    return person


@pytest.fixture
def olga(db: Session) -> User:
    return admin(db, AdminRole.OWNER, "Olga")


@pytest.fixture
def sam(db: Session) -> User:
    return admin(db, AdminRole.SUPPORT, "Sam")


@pytest.fixture
def vic(db: Session) -> User:
    return admin(db, AdminRole.VIEWER, "Vic")


def order(who: User, reason: str = "She asked.", key: UUID | None = None) -> Order:
    return Order(who, reason, key or new_id())


def logged(db: Session, user: User) -> Sequence[AdminAction]:
    return admin_actions.list_of_user(db, user.id, 100)


def test_credits_are_given_as_granted_ones(db: Session, olga: User, ada: User) -> None:
    before = ada.credits_balance_micros
    user_actions.adjust_credits(db, order(olga), ada.id, 5 * DOLLAR)
    assert ada.credits_balance_micros == before + 5 * DOLLAR
    assert ada.credits_promotional_micros == ada.credits_balance_micros
    assert ledger.drift(db, ada.id) == 0
    assert not any(ledger.audit(db, ada.id).values())
    (entry,) = logged(db, ada)
    assert (entry.admin_email, entry.admin_role, entry.reason) == (
        "olga@example.org",
        AdminRole.OWNER,
        "She asked.",
    )
    assert entry.before["balance_micros"] == before
    assert entry.after["balance_micros"] == before + 5 * DOLLAR


def test_credits_are_taken_as_far_as_they_are_free(db: Session, olga: User, ada: User) -> None:
    balance = ada.credits_balance_micros
    factories.open_call(db, factories.running(db, ada), balance // 2)
    with pytest.raises(NotEnoughToTake):
        user_actions.adjust_credits(db, order(olga), ada.id, -balance)
    user_actions.adjust_credits(db, order(olga), ada.id, -(balance // 2))
    kinds = sa.select(Transaction.kind).where(Transaction.user_id == ada.id)
    assert EntryKind.ADJUSTMENT in db.scalars(kinds).all()
    assert ada.credits_available_micros == 0
    with pytest.raises(NothingToAdjust):
        user_actions.adjust_credits(db, order(olga), ada.id, 0)


def test_what_waited_for_credits_goes_on(db: Session, olga: User, ada: User) -> None:
    user_actions.adjust_credits(db, order(olga), ada.id, -ada.credits_balance_micros)
    waiting = factories.job(db, ada)
    assert waiting.status is JobStatus.PAUSED
    resumed = user_actions.adjust_credits(db, order(olga), ada.id, DOLLAR)
    assert [job.id for job in resumed] == [waiting.id]


def test_the_same_form_twice_is_done_once(db: Session, olga: User, ada: User) -> None:
    before, once = ada.credits_balance_micros, order(olga)
    for _ in range(3):
        user_actions.adjust_credits(db, once, ada.id, DOLLAR)
    assert ada.credits_balance_micros == before + DOLLAR
    assert len(logged(db, ada)) == 1


def test_one_form_sent_many_times_at_once_is_done_once(emptied: sa.Engine) -> None:
    with Session(emptied, expire_on_commit=False) as db, db.begin():
        olga = admin(db, AdminRole.OWNER, "Olga")
        ada = factories.user(db, "ada@example.org")
    once = order(olga)

    def _give() -> None:
        with Session(emptied) as db, db.begin():
            user_actions.adjust_credits(db, once, ada.id, DOLLAR)

    assert factories.in_parallel(4, _give) == [None] * 4
    with Session(emptied) as db:
        given = sa.select(sa.func.count()).where(Transaction.reference == f"admin:{once.key}")
        assert db.scalar(given) == 1
        assert db.scalar(sa.select(sa.func.count(AdminAction.id))) == 1


def test_one_admin_adjusts_no_more_than_the_limit_of_a_day(
    db: Session, olga: User, ada: User, eve: User, adjust: Callable[..., None]
) -> None:
    adjust(ADMIN_ADJUSTMENT_LIMIT_MICROS=str(3 * DOLLAR))
    second = admin(db, AdminRole.OWNER, "Otto")
    user_actions.adjust_credits(db, order(second), eve.id, DOLLAR)
    user_actions.adjust_credits(db, order(olga), ada.id, 2 * DOLLAR)
    before = eve.credits_balance_micros
    for micros in (2 * DOLLAR, -2 * DOLLAR):
        user_actions.adjust_credits(db, order(olga), eve.id, micros)
    assert eve.credits_balance_micros == before
    assert [one.amount_micros for one in adjustment_approvals.list_open(db, eve.id)] == [
        2 * DOLLAR,
        -2 * DOLLAR,
    ]
    user_actions.adjust_credits(db, order(olga), eve.id, DOLLAR)
    assert eve.credits_balance_micros == before + DOLLAR
    user_actions.adjust_credits(db, order(second), eve.id, 2 * DOLLAR)
    with time_machine.travel(utc_now() + timedelta(hours=25)):
        user_actions.adjust_credits(db, order(olga), eve.id, 3 * DOLLAR)
    assert len(adjustment_approvals.list_open(db)) == 2


def asked(db: Session, who: User, user: User, micros: int) -> UUID:
    """An adjustment that waits for another owner."""
    wanted = order(who)
    user_actions.adjust_credits(db, wanted, user.id, micros)
    return wanted.key


def test_what_is_more_waits_for_another_owner(
    db: Session, olga: User, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ADMIN_ADJUSTMENT_LIMIT_MICROS="0")
    otto = admin(db, AdminRole.OWNER, "Otto")
    before, wanted = ada.credits_balance_micros, asked(db, olga, ada, 9 * DOLLAR)
    with pytest.raises(OwnRequest):
        adjustment_approvals.approve(db, order(olga), wanted)
    once = order(otto, "Checked.")
    for _ in range(2):
        adjustment_approvals.approve(db, once, wanted)
    assert ada.credits_balance_micros == before + 9 * DOLLAR
    assert not any(ledger.audit(db, ada.id).values())
    for decide in (adjustment_approvals.approve, adjustment_approvals.refuse):
        with pytest.raises(AlreadyDecided):
            decide(db, order(otto), wanted)
    approved, first = logged(db, ada)
    assert (first.kind, first.admin_id) == (AdminActionKind.ADJUSTMENT_ASKED, olga.id)
    assert (approved.kind, approved.admin_id) == (AdminActionKind.ADJUSTMENT_APPROVED, otto.id)
    assert approved.after["approved_micros"] == 9 * DOLLAR


def test_what_was_refused_or_not_decided_in_time_is_never_booked(
    db: Session, olga: User, ada: User, adjust: Callable[..., None]
) -> None:
    adjust(ADMIN_ADJUSTMENT_LIMIT_MICROS="0")
    otto, before = admin(db, AdminRole.OWNER, "Otto"), ada.credits_balance_micros
    refused, late = asked(db, olga, ada, DOLLAR), asked(db, olga, ada, DOLLAR)
    adjustment_approvals.refuse(db, order(otto), refused)
    with time_machine.travel(utc_now() + adjustment_approvals.APPROVED_WITHIN):
        with pytest.raises(AlreadyDecided):
            adjustment_approvals.approve(db, order(otto), late)
        assert not adjustment_approvals.list_open(db)
    with pytest.raises(NotEnoughToTake):
        asked(db, olga, ada, -before - 1)
    all_of_it = asked(db, olga, ada, -before)
    factories.open_call(db, factories.running(db, ada), 1)
    with pytest.raises(NotEnoughToTake):
        adjustment_approvals.approve(db, order(otto), all_of_it)
    assert ada.credits_balance_micros == before


@pytest.mark.parametrize("role", [AdminRole.SUPPORT, AdminRole.VIEWER])
def test_only_owners_approve(
    db: Session, olga: User, ada: User, role: AdminRole, adjust: Callable[..., None]
) -> None:
    adjust(ADMIN_ADJUSTMENT_LIMIT_MICROS="0")
    wanted = asked(db, olga, ada, DOLLAR)
    with pytest.raises(NotOfThisRole):
        adjustment_approvals.approve(db, order(admin(db, role, "Sam")), wanted)


Verb = Callable[[Session, Order, UUID], object]
MONEY: Sequence[Verb] = (
    lambda db, order, user: user_actions.adjust_credits(db, order, user, DOLLAR),
    lambda db, order, user: user_actions.lift_freeze(db, order, user, is_forced=True),
)
OTHERS: Sequence[Verb] = (
    lambda db, order, user: user_actions.suspend_sending(db, order, user, is_on=True),
    lambda db, order, user: user_actions.suspend_sign_in(db, order, user, is_on=True),
    user_actions.end_sessions,
    user_actions.add_note,
)


@pytest.mark.parametrize("verb", [*MONEY, *OTHERS])
def test_viewers_and_users_do_nothing(
    db: Session, vic: User, eve: User, ada: User, verb: Verb
) -> None:
    ledger.freeze(ada, FreezeReason.AUDIT)
    for nobody in (vic, eve):
        with pytest.raises(NotOfThisRole):
            verb(db, order(nobody), ada.id)
    assert logged(db, ada) == []


@pytest.mark.parametrize("verb", MONEY)
def test_support_moves_no_money(db: Session, sam: User, ada: User, verb: Verb) -> None:
    ledger.freeze(ada, FreezeReason.AUDIT)
    with pytest.raises(NotOfThisRole):
        verb(db, order(sam), ada.id)


@pytest.mark.parametrize("verb", OTHERS)
def test_support_does_the_rest_for_a_reason(db: Session, sam: User, ada: User, verb: Verb) -> None:
    for refused, reason in ((ReasonMissing, " "), (ReasonTooLong, "x" * 501)):
        with pytest.raises(refused):
            verb(db, order(sam, reason), ada.id)
    with pytest.raises(NotFound):
        verb(db, order(sam), new_id())
    verb(db, order(sam), ada.id)
    assert len(logged(db, ada)) == 1


@pytest.mark.parametrize("verb", [*MONEY, *OTHERS])
def test_nobody_acts_on_their_own_account(db: Session, olga: User, verb: Verb) -> None:
    with pytest.raises(OwnAdminAccount):
        verb(db, order(olga), olga.id)


def test_only_an_owner_acts_on_an_admin(db: Session, olga: User, sam: User, vic: User) -> None:
    with pytest.raises(AccountOfAnAdmin):
        user_actions.suspend_sign_in(db, order(sam), vic.id, is_on=True)
    user_actions.suspend_sign_in(db, order(olga), vic.id, is_on=True)


def test_who_may_not_send_is_refused_and_may_again(db: Session, sam: User, ada: User) -> None:
    user_actions.suspend_sending(db, order(sam), ada.id, is_on=True)
    with pytest.raises(Refused, match="sending_suspended"):
        factories.job(db, ada)
    with pytest.raises(AlreadyInThatState):
        user_actions.suspend_sending(db, order(sam), ada.id, is_on=True)
    user_actions.suspend_sending(db, order(sam), ada.id, is_on=False)
    assert factories.job(db, ada)
    kinds = [entry.kind for entry in logged(db, ada)]
    assert kinds == [AdminActionKind.SENDING_RESUMED, AdminActionKind.SENDING_SUSPENDED]


def test_who_may_not_sign_in_is_out_everywhere(db: Session, sam: User, ada: User) -> None:
    opened = sessions.open_for(db, ada, "A browser")
    user_actions.suspend_sign_in(db, order(sam), ada.id, is_on=True)
    assert sessions.find_live(db, opened.id) is None
    with pytest.raises(SignInSuspended):
        sessions.open_for(db, ada, "A browser")
    user_actions.suspend_sign_in(db, order(sam), ada.id, is_on=False)
    assert sessions.open_for(db, ada, "A browser")


def test_sessions_end_and_are_counted(db: Session, sam: User, ada: User, eve: User) -> None:
    sessions.open_for(db, ada, "A phone")
    sessions.open_for(db, ada, "A laptop")
    others = sessions.open_for(db, eve, "Hers")
    user_actions.end_sessions(db, order(sam), ada.id)
    assert sessions.list_live(db, ada.id) == []
    assert sessions.list_live(db, eve.id) == [others]
    (entry,) = logged(db, ada)
    assert (entry.before, entry.after) == ({"sessions": 2}, {"sessions": 0})


def test_a_freeze_is_lifted_and_logged(db: Session, olga: User, ada: User) -> None:
    ledger.freeze(ada, FreezeReason.AUDIT)
    user_actions.lift_freeze(db, order(olga), ada.id, is_forced=False)
    assert not ada.is_frozen
    (ended,) = freezes.list_ended(db, ada.id)
    assert ended.admin_id == olga.id
    assert [entry.kind for entry in logged(db, ada)] == [AdminActionKind.FREEZE_LIFTED]


def test_a_verified_address_gets_no_further_link(
    db: Session, sam: User, ada: User, verifying: None
) -> None:
    user_actions.resend_verification(db, order(sam), ada.id)
    ada.email_verified_at = utc_now()
    with pytest.raises(AlreadyVerified):
        user_actions.resend_verification(db, order(sam), ada.id)


@pytest.mark.parametrize(
    "change", ["UPDATE admin_actions SET reason = 'x'", "DELETE FROM admin_actions"]
)
def test_the_log_is_never_changed(db: Session, sam: User, ada: User, change: str) -> None:
    user_actions.add_note(db, order(sam), ada.id)
    with pytest.raises(DatabaseError, match="never changed"), db.begin_nested():
        db.execute(sa.text(change))
