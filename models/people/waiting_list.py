"""The waiting list: addresses of those who would like an account while not everybody gets one."""

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id
from models.email import outbox
from models.email.templates import account, invitations
from models.people import users
from models.schema.invitations import WaitingAddress


def join(db: Session, email: str) -> None:
    """Put an address on the list and mail it so, once; raise BadAddress.

    Who has an account is mailed that instead: the page says the same to everybody.
    """
    address = users.reachable_address(email)
    if users.find_id(db, address) is not None:
        reference = f"waiting-known:{address}"
        outbox.queue(db, address, account.sign_up_known(), reference=reference)
        return
    row = insert(WaitingAddress).values(id=new_id(), address=address)
    db.execute(row.on_conflict_do_nothing(index_elements=[WaitingAddress.address]))
    outbox.queue(db, address, invitations.waiting_listed(), reference=f"waiting:{address}")


def leave(db: Session, address: str) -> None:
    """Take an address off the list whose account has begun."""
    db.execute(delete(WaitingAddress).where(WaitingAddress.address == address))


def count(db: Session) -> int:
    """Count who waits."""
    waits = select(func.count(WaitingAddress.id)).where(WaitingAddress.invited_at.is_(None))
    return db.scalar(waits) or 0


def lock_first(db: Session, most: int) -> Sequence[WaitingAddress]:
    """Return who has waited longest, locked; whom somebody else has just now is passed over."""
    waits = select(WaitingAddress).where(WaitingAddress.invited_at.is_(None))
    first = waits.order_by(WaitingAddress.id).limit(most)
    return db.scalars(first.with_for_update(skip_locked=True)).all()
