"""What admins do to a user's account. Each is done once under its key, with a reason, and logged.

All of them refuse what `admin_actions.begin` refuses, and return what a second form of the same key
gets too: nothing that would be done again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from models import jobs
from models.base import utc_now
from models.errors import Refused
from models.ledger import freezes
from models.ops import adjustment_approvals, admin_actions
from models.ops.adjustment_approvals import credits_of
from models.ops.admin_actions import Change, Order
from models.people import access_rules, email_tokens, sessions, verification
from models.people.admin_roles import Permission
from models.people.email_tokens import Retirement
from models.schema.admins import AdminAction, AdminActionKind
from models.schema.jobs import Job
from models.schema.users import User
from settings import get_settings

ADJUSTED_WITHIN = timedelta(hours=24)


class NothingToAdjust(Refused):
    """An adjustment of no credits."""

    code = "nothing_to_adjust"


class AlreadyInThatState(Refused):
    """What an action would bring about is so already."""

    code = "already_in_that_state"


class StillListed(Refused):
    """A list of admins holds or blocks the account, so it is not let send by hand."""

    code = "still_listed"


class AlreadyVerified(Refused):
    """The address of an account needs no link any more."""

    code = "already_verified"


def adjust_credits(db: Session, order: Order, user_id: UUID, micros: int) -> Sequence[Job]:
    """Give an account credits, or take them, by an entry of its own; return messages that go on.

    What is given is granted credit: it is spent first, lapses, and is no revenue. Refused beyond
    what the account has free. Beyond `admin_adjustment_limit_micros` of one admin in 24 hours,
    either way, nothing is booked: it waits for another owner, see `adjustment_approvals`.
    """
    user = admin_actions.begin(db, order, user_id, needs=Permission.ACT_MONEY)
    if user is None:
        return ()
    if micros == 0:
        raise NothingToAdjust
    if _is_too_much(db, order.admin, micros):
        adjustment_approvals.ask(db, order, user, micros)
        return ()
    before = credits_of(user)
    adjustment_approvals.book(db, user, micros, reference=f"admin:{order.key}")
    change = Change(before, {**credits_of(user), "adjusted_micros": micros})
    admin_actions.note(db, order, AdminActionKind.CREDITS_ADJUSTED, user_id, change=change)
    return jobs.resume(db, user_id) if micros > 0 and not user.is_frozen else ()


def suspend_sending(db: Session, order: Order, user_id: UUID, *, is_on: bool) -> None:
    """Keep an account from sending messages, or let it send again; what waits is still answered.

    While a list holds or blocks the account it is not let send: raises StillListed.
    """
    user = admin_actions.begin(db, order, user_id)
    if user is not None:
        if not is_on and access_rules.own_verdict(db, user_id) in access_rules.WITHHOLDS:
            raise StillListed
        before = user.sending_suspended_at
        user.sending_suspended_at = _since(before, is_on=is_on)
        kinds = (AdminActionKind.SENDING_RESUMED, AdminActionKind.SENDING_SUSPENDED)
        _note_suspension(db, order, user, kinds[is_on], (before, user.sending_suspended_at))


def is_suspended_by_hand(db: Session, user: User) -> bool:
    """Tell whether an admin keeps a locked account from sending by `suspend_sending`.

    False where only a list does: its moment is not the one that the log has of such an order.
    """
    if user.sending_suspended_at is None:
        return False
    orders = select(AdminAction.after["suspended_at"].astext).where(
        AdminAction.user_id == user.id, AdminAction.kind == AdminActionKind.SENDING_SUSPENDED
    )
    ordered_at = db.scalar(orders.order_by(AdminAction.id.desc()).limit(1))
    return bool(ordered_at) and datetime.fromisoformat(ordered_at) == user.sending_suspended_at


def suspend_sign_in(db: Session, order: Order, user_id: UUID, *, is_on: bool) -> None:
    """Log an account out everywhere and keep it from signing in, or let it sign in again."""
    user = admin_actions.begin(db, order, user_id)
    if user is not None:
        before = user.sign_in_suspended_at
        user.sign_in_suspended_at = _since(before, is_on=is_on)
        if is_on:
            _log_out(db, user_id)
        kinds = (AdminActionKind.SIGN_IN_RESUMED, AdminActionKind.SIGN_IN_SUSPENDED)
        _note_suspension(db, order, user, kinds[is_on], (before, user.sign_in_suspended_at))


def end_sessions(db: Session, order: Order, user_id: UUID) -> None:
    """Log every browser of an account out, and retire the links that those had asked for."""
    if admin_actions.begin(db, order, user_id) is None:
        return
    count = len(sessions.list_live(db, user_id))
    _log_out(db, user_id)
    change = Change({"sessions": count}, {"sessions": 0})
    admin_actions.note(db, order, AdminActionKind.SESSIONS_ENDED, user_id, change=change)


def lift_freeze(db: Session, order: Order, user_id: UUID, *, is_forced: bool) -> Sequence[Job]:
    """Let a frozen account spend again; return its messages that go on.

    Refused as `freezes.end` refuses it: by force it is done although the audit finds something.
    """
    user = admin_actions.begin(db, order, user_id, needs=Permission.ACT_MONEY)
    if user is None:
        return ()
    before = {"frozen_at": _moment(user.spending_frozen_at), "why": user.spending_frozen_reason}
    forced_because = order.reason if is_forced else None
    resumed = freezes.end(db, user_id, forced_because=forced_because, admin_id=order.admin.id)
    change = Change(before, {"frozen_at": None, "is_forced": is_forced})
    admin_actions.note(db, order, AdminActionKind.FREEZE_LIFTED, user_id, change=change)
    return resumed


def resend_verification(db: Session, order: Order, user_id: UUID) -> None:
    """Mail an account another link that verifies its address; refused if none is awaited."""
    user = admin_actions.begin(db, order, user_id)
    if user is None:
        return
    if not verification.is_awaited(user):
        raise AlreadyVerified
    verification.send_link(db, user)
    admin_actions.note(db, order, AdminActionKind.VERIFICATION_RESENT, user_id)


def add_note(db: Session, order: Order, user_id: UUID) -> None:
    """Leave a note on an account for other admins: the reason is the note."""
    if admin_actions.begin(db, order, user_id) is not None:
        admin_actions.note(db, order, AdminActionKind.NOTE_ADDED, user_id)


def _log_out(db: Session, user_id: UUID) -> None:
    sessions.revoke_others(db, user_id, keep=None)
    email_tokens.retire(db, user_id, Retirement.LOGGED_OUT_EVERYWHERE)


def _is_too_much(db: Session, admin: User, micros: int) -> bool:
    most = get_settings().admin_adjustment_limit_micros
    adjusted = cast(AdminAction.after["adjusted_micros"].astext, BigInteger)
    lately = select(func.coalesce(func.sum(func.abs(adjusted)), 0)).where(
        AdminAction.admin_id == admin.id,
        AdminAction.kind == AdminActionKind.CREDITS_ADJUSTED,
        AdminAction.created_at > utc_now() - ADJUSTED_WITHIN,
    )
    # Of two adjustments at once, of different accounts, the second counts the first.
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(admin.id), 0))))
    return int(db.scalar(lately) or 0) + abs(micros) > most


def _since(before: datetime | None, *, is_on: bool) -> datetime | None:
    if (before is not None) == is_on:
        raise AlreadyInThatState
    return utc_now() if is_on else None


def _note_suspension(
    db: Session,
    order: Order,
    user: User,
    kind: AdminActionKind,
    since: tuple[datetime | None, datetime | None],
) -> None:
    before, after = ({"suspended_at": _moment(at)} for at in since)
    admin_actions.note(db, order, kind, user.id, change=Change(before, after))


def _moment(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
