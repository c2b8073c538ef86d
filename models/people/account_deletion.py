"""Accounts that are deleted: ordered first, with days to change one's mind, then erased for good.

Erased is all that a user wrote, sent, saved and is known by. What stays is money: the ledger,
payments and model calls, which name an account without a person, and jobs without words.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Table, delete, or_, select, update
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.chat import erasures
from models.email import outbox
from models.email.templates import account
from models.errors import Refused
from models.jobs.cancellation import cancel_all
from models.payments import customer_deletions
from models.people import email_tokens, sessions
from models.people.email_tokens import Retirement
from models.schema.archives import Export
from models.schema.channels import ChannelAccount, ChannelUpdate
from models.schema.chat import Conversation
from models.schema.email_tokens import EmailToken, LinkPurpose
from models.schema.emails import Email, EmailStatus
from models.schema.invitations import WaitingAddress
from models.schema.jobs import Job
from models.schema.metadata import metadata
from models.schema.payments import BillingAccount
from models.schema.reset_requests import ResetRequest
from models.schema.sign_ups import SignUp
from models.schema.users import User
from settings import get_settings

# Rows that name the account alone, and that the books or rolled-up numbers need.
KEPT = frozenset(
    {
        *("jobs", "conversations", "user_days", "pending_adjustments", "unfreezings"),
        *("audit_findings", "user_months", "user_model_months"),
    }
)


class DeletionOrdered(Refused):
    """An account is to be deleted already, or has been."""

    code = "deletion_ordered"


class NoDeletionOrdered(Refused):
    """An account is not to be deleted."""

    code = "no_deletion_ordered"


class DeletionBegun(Refused):
    """The time to keep an account is over: its files may have gone already."""

    code = "deletion_begun"


class AdminsAreNotDeleted(Refused):
    """An account is an admin's: that has to end first."""

    code = "admins_are_not_deleted"


def order(db: Session, user: User) -> None:
    """Let a locked account be erased in ACCOUNT_DELETION_DAYS; nothing can be sent meanwhile.

    What waits is cancelled, what runs is stopped, and cards are charged no more by themselves.
    """
    if user.deletion_due_at is not None or user.deleted_at is not None:
        raise DeletionOrdered
    if user.is_admin:
        raise AdminsAreNotDeleted
    due_at = utc_now() + timedelta(days=get_settings().account_deletion_days)
    user.deletion_due_at = due_at
    _end_jobs(db, user.id)
    billing = db.get(BillingAccount, user.id)
    if billing is not None:
        billing.top_up_is_on = False
    letter = account.deletion_ordered(due_at)
    outbox.queue(db, user.email, letter, reference=f"deletion:{user.id}:{utc_now().isoformat()}")
    db.flush()


def undo(user: User) -> None:
    """Keep a locked account after all; refused once its time is over."""
    if user.deletion_due_at is None:
        raise NoDeletionOrdered
    if _is_due(user):
        raise DeletionBegun
    user.deletion_due_at = None


def list_due(db: Session, limit: int) -> Sequence[UUID]:
    """List accounts whose time is over, those that have waited longest first."""
    due = select(User.id).where(User.deletion_due_at <= utc_now())
    return db.scalars(due.order_by(User.deletion_due_at).limit(limit)).all()


def close(db: Session, user_id: UUID) -> bool:
    """Log an account out for good, and end what it has going; whether nobody is at its files.

    Call it again later until nobody is: files are erased then, and rows after them.
    """
    user = ledger.lock_account(db, user_id)
    if not _is_due(user):
        return False
    user.sign_in_suspended_at = user.sign_in_suspended_at or utc_now()
    user.sending_suspended_at = user.sending_suspended_at or utc_now()
    user.cell_ended_at = utc_now()
    sessions.revoke_others(db, user_id, keep=None)
    email_tokens.retire(db, user_id, Retirement.LOGGED_OUT_EVERYWHERE)
    _end_jobs(db, user_id)
    # A worker that still puts one together throws it away.
    db.execute(delete(Export).where(Export.user_id == user_id))
    db.flush()
    return erasures.is_free(db, user)


def erase(db: Session, user_id: UUID) -> None:
    """Delete what a closed account has, and leave of it a number without a person.

    Its objects in storage have been deleted before; its customer at Stripe is to be deleted after.
    """
    user = ledger.lock_account(db, user_id)
    if not _is_due(user) or user.sign_in_suspended_at is None:
        return
    _erase_by_address(db, user)
    customer_deletions.want(db, user_id)
    ledger.forget_details(db, Job.user_id == user_id)
    for table in reversed(metadata.sorted_tables):
        if _is_theirs(table):
            db.execute(delete(table).where(table.c.user_id == user_id))
    nothing = {"title": "", "deleted_at": utc_now()}
    db.execute(update(Conversation).where(Conversation.user_id == user_id).values(nothing))
    db.execute(update(Job).where(Job.user_id == user_id).values(failure_details={}))
    for name, value in _NOBODY.items():
        setattr(user, name, value)
    user.email = nobodys_address(user)
    user.deletion_due_at, user.deleted_at = None, utc_now()
    db.flush()


def nobodys_address(user: User) -> str:
    """Return what stands in the place of the address of an account that is nobody's any more."""
    return f"deleted-{user.id}@deleted.invalid"


_NOBODY: dict[str, object] = {
    "name": "",
    "needs": "",
    "timezone": "UTC",
    **dict.fromkeys(("password_hash", "email_verified_at", "onboarded_at", "model", "locale")),
    **dict.fromkeys(("quiet_from_minute", "quiet_until_minute", "cell_worker_id")),
    **dict.fromkeys(("cell_worker_until", "cell_ended_at")),
}


def _is_due(user: User) -> bool:
    return user.deletion_due_at is not None and user.deletion_due_at <= utc_now()


def _end_jobs(db: Session, user_id: UUID) -> None:
    busy = select(Job.conversation_id).where(Job.user_id == user_id, Job.finished_at.is_(None))
    for conversation_id in set(db.scalars(busy)):
        cancel_all(db, user_id, conversation_id)


def _erase_by_address(db: Session, user: User) -> None:
    """Delete what names the user by an address that is or was theirs, or by a messenger.

    Of an address that they only asked to change to, letters that were sent; a stranger may be on
    the list with it. What another account has is left alone.
    """
    links = EmailToken.user_id == user.id
    known = set(db.scalars(select(EmailToken.address).where(links)))
    asked_for = EmailToken.purpose == LinkPurpose.ADDRESS_CHANGE
    theirs = set(db.scalars(select(EmailToken.address).where(links, ~asked_for)))
    others = set(db.scalars(select(User.email).where(User.email.in_(known), User.id != user.id)))
    for table, column in (
        (Email, Email.recipient),
        (SignUp, SignUp.address),
        (ResetRequest, ResetRequest.address),
        (WaitingAddress, WaitingAddress.address),
    ):
        db.execute(delete(table).where(column.in_({user.email, *theirs} - others)))
    sent = Email.recipient.in_(known - others), Email.status != EmailStatus.QUEUED
    db.execute(delete(Email).where(*sent))
    _erase_by_messenger(db, user)


def _erase_by_messenger(db: Session, user: User) -> None:
    """Delete what came from accounts of messengers that are linked to the user."""
    linked = select(ChannelAccount).where(ChannelAccount.user_id == user.id)
    theirs = [
        (ChannelUpdate.channel == one.channel) & (ChannelUpdate.account_id == one.account_id)
        for one in db.scalars(linked)
    ]
    if theirs:
        db.execute(delete(ChannelUpdate).where(or_(*theirs)))


def _is_theirs(table: Table) -> bool:
    """Tell whether the rows of a table are somebody's and go with them."""
    if table.name in KEPT or "user_id" not in table.c:
        return False
    return any(
        key.column.table.name == "users" and key.ondelete == "CASCADE"
        for key in table.c.user_id.foreign_keys
    )
