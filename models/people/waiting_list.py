"""The waiting list: addresses of those who would like an account while not everybody gets one."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id
from models.email import outbox
from models.email.templates import account, invitations
from models.people import invitations as codes
from models.people import users
from models.schema.invitations import WaitingAddress


def join(db: Session, email: str) -> None:
    """Put an address on the list and mail it so, once; raise BadAddress.

    Who was invited, and whose code is over, waits again behind all others, and is mailed so again.
    Who has an account is mailed that instead: the page says the same to everybody.
    """
    address = users.reachable_address(email)
    if users.find_id(db, address) is not None:
        reference = f"waiting-known:{address}"
        outbox.queue(db, address, account.sign_up_known(), reference=reference)
        return
    row = insert(WaitingAddress).values(id=new_id(), address=address)
    db.execute(row.on_conflict_do_nothing(index_elements=[WaitingAddress.address]))
    again = _wait_again(db, address)
    reference = f"waiting:{again}" if again else f"waiting:{address}"
    outbox.queue(db, address, invitations.waiting_listed(), reference=reference)


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


def _wait_again(db: Session, address: str) -> UUID | None:
    """Put an address whose code is over at the end of the list; return its new id, or None."""
    of_address = select(WaitingAddress).where(WaitingAddress.address == address).with_for_update()
    found = db.scalars(of_address.execution_options(populate_existing=True)).one_or_none()
    if found is None or found.invited_at is None:
        return None
    if found.invitation_id is not None and codes.is_usable(db, found.invitation_id):
        return None
    db.delete(found)
    db.flush()
    again = WaitingAddress(address=address)
    db.add(again)
    db.flush()
    return again.id
