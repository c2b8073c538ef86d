"""What admins do about invitations. Each is done once under its key, with a reason, and logged.

All of them refuse what `admin_actions.admit` refuses, and do nothing for a form that comes again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import BigInteger, cast, func, select
from sqlalchemy.orm import Session

from models.base import utc_now
from models.email import outbox
from models.email.templates import invitations as letters
from models.errors import NotFound, Refused
from models.ops import admin_actions
from models.ops.admin_actions import Change, Order
from models.people import invitations, waiting_list
from models.people.admin_roles import Permission
from models.schema.admins import AdminAction, AdminActionKind
from models.schema.invitations import Invitation, InvitationUse
from models.schema.users import User
from settings import get_settings

LABEL_MAX_LENGTH = 80
MOST_USES = 10_000
MOST_DAYS = 365
# Of the waiting list, at once.
MOST_INVITED = 500
INVITED_DAYS = 14
PROMISED_WITHIN = timedelta(hours=24)
PROMISES = (AdminActionKind.INVITATION_MADE, AdminActionKind.WAITING_INVITED)
NOTHING: Mapping[str, object] = {}


class BadInvitation(Refused):
    """An invitation lacks a name, or is for none or more than `most`, or for too long."""

    code = "bad_invitation"


class PromisedTooMuch(Refused):
    """An admin would promise more credit than `most_micros` in 24 hours."""

    code = "promised_too_much"


class NobodyWaits(Refused):
    """The waiting list is empty."""

    code = "nobody_waits"


@dataclass(frozen=True)
class Plan:
    """An invitation as an admin wants it; without `days` it lasts until it is ended."""

    label: str
    uses_max: int
    bonus_micros: int
    days: int | None

    def checked(self) -> "Plan":
        """Trim it; raise BadInvitation."""
        label = " ".join(self.label.split())
        is_lasting = self.days is None or 1 <= self.days <= MOST_DAYS
        if not label or len(label) > LABEL_MAX_LENGTH or not is_lasting or self.bonus_micros < 0:
            raise BadInvitation(most=MOST_USES)
        if not 1 <= self.uses_max <= MOST_USES:
            raise BadInvitation(most=MOST_USES)
        return Plan(label, self.uses_max, self.bonus_micros, self.days)


@dataclass(frozen=True)
class Arrival:
    """Somebody who came by an invitation."""

    user_id: UUID
    name: str
    email: str
    came_at: datetime


def make(db: Session, order: Order, plan: Plan) -> Invitation | None:
    """Make an invitation; with a bonus, only for who may move money. None for the form again."""
    if not admin_actions.admit(db, order, needs=_needed(plan.bonus_micros)):
        return None
    checked = plan.checked()
    promised = checked.uses_max * checked.bonus_micros
    _refuse_too_much(db, order.admin, promised)
    made = _add(db, checked)
    after = {"code": made.code, "uses_max": made.uses_max, "promised_micros": promised}
    change = Change(dict.fromkeys(after), after)
    admin_actions.note(db, order, AdminActionKind.INVITATION_MADE, None, change=change)
    return made


def end(db: Session, order: Order, invitation_id: UUID) -> None:
    """Let nobody come by an invitation any more; whoever came stays. Raises NotFound."""
    if not admin_actions.admit(db, order, needs=Permission.ACT):
        return
    found = db.get(Invitation, invitation_id, with_for_update=True)
    if found is None:
        raise NotFound
    if found.ended_at is not None:
        raise invitations.InvitationOver
    ended_at = found.ended_at = utc_now()
    before = {"code": found.code, "ended_at": None}
    change = Change(before, {"code": found.code, "ended_at": ended_at.isoformat()})
    admin_actions.note(db, order, AdminActionKind.INVITATION_ENDED, None, change=change)


def invite_waiting(db: Session, order: Order, count: int, bonus_micros: int) -> int:
    """Mail those who have waited longest a code of their own each; return how many. 0 if again."""
    if not admin_actions.admit(db, order, needs=_needed(bonus_micros)):
        return 0
    if not 1 <= count <= MOST_INVITED or bonus_micros < 0:
        raise BadInvitation(most=MOST_INVITED)
    first = waiting_list.lock_first(db, count)
    if not first:
        raise NobodyWaits
    promised = len(first) * bonus_micros
    _refuse_too_much(db, order.admin, promised)
    waited = waiting_list.count(db)
    for one in first:
        made = _add(db, Plan("Waiting list", 1, bonus_micros, INVITED_DAYS))
        one.invited_at, one.invitation_id = utc_now(), made.id
        letter = letters.invitation(made.code, bonus_micros, INVITED_DAYS)
        outbox.queue(db, one.address, letter, reference=f"invitation:{made.id}")
    after = {"waiting": waited - len(first), "promised_micros": promised}
    change = Change({"waiting": waited}, after)
    admin_actions.note(db, order, AdminActionKind.WAITING_INVITED, None, change=change)
    return len(first)


def list_page(db: Session, *, limit: int, before: UUID | None = None) -> Sequence[Invitation]:
    """List invitations, the latest first: all, or what lies before one."""
    wanted = select(Invitation).order_by(Invitation.id.desc()).limit(limit)
    if before is not None:
        wanted = wanted.where(Invitation.id < before)
    return db.scalars(wanted).all()


def arrivals(db: Session, invitation_id: UUID, limit: int) -> Sequence[Arrival]:
    """List who came by an invitation, the latest first."""
    wanted = (
        select(User.id, User.name, User.email, InvitationUse.created_at)
        .join(InvitationUse, InvitationUse.user_id == User.id)
        .where(InvitationUse.invitation_id == invitation_id)
        .order_by(InvitationUse.user_id.desc())
        .limit(limit)
    )
    return [Arrival(*row) for row in db.execute(wanted)]


def _needed(bonus_micros: int) -> Permission:
    return Permission.ACT_MONEY if bonus_micros else Permission.ACT


def _add(db: Session, plan: Plan) -> Invitation:
    made = Invitation(
        code=invitations.new_code(),
        label=plan.label,
        uses_max=plan.uses_max,
        bonus_micros=plan.bonus_micros,
        expires_at=utc_now() + timedelta(days=plan.days) if plan.days else None,
    )
    db.add(made)
    db.flush()
    return made


def _refuse_too_much(db: Session, admin: User, micros: int) -> None:
    most = get_settings().admin_adjustment_limit_micros
    promised = cast(AdminAction.after["promised_micros"].astext, BigInteger)
    lately = select(func.coalesce(func.sum(promised), 0)).where(
        AdminAction.admin_id == admin.id,
        AdminAction.kind.in_(PROMISES),
        AdminAction.created_at > utc_now() - PROMISED_WITHIN,
    )
    # Of two promises at once the second counts the first.
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(str(admin.id), 0))))
    if micros and int(db.scalar(lately) or 0) + micros > most:
        raise PromisedTooMuch(most_micros=most)
