"""The owner of an address begins anew where somebody else may have set an account up with it.

Whoever signed up with an address that nobody has verified may be a stranger, who leaves things
behind and waits. So who proves by mail or by Google that the address is theirs gets an account of
their own. The one of before loses the address, and is erased as deleted accounts are, with all that
any table or storage has of it. Credits that were bought come along: its owner may just never have
opened the link.
"""

from datetime import UTC, datetime

import structlog
from sqlalchemy.orm import Session

from models import ledger
from models.base import utc_now
from models.ledger.entries import record
from models.people import account_deletion, identities, two_factor, verification
from models.schema.ledger import EntryKind, Transaction
from models.schema.payments import BillingAccount
from models.schema.users import User

log = structlog.get_logger()

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def is_due(user: User) -> bool:
    """Tell whether an account may be a stranger's, whoever reads the mail of its address.

    Where addresses are not verified it is not: or a mailbox alone would open every account.
    """
    return verification.is_awaited(user)


def begin_anew(db: Session, squatted: User) -> User:
    """Return a locked account of its own for who has proven the address of a locked account.

    Its address is verified by that; the caller gives it a way in. Nothing opens the one of before
    any more, nobody writes for it, and it is erased as soon as nobody is at work on its files.
    """
    address = squatted.email
    squatted.email, squatted.password_hash = account_deletion.nobodys_address(squatted), None
    # Long before now: it is due by any clock.
    squatted.deletion_due_at = LONG_AGO
    db.flush()
    identities.disconnect_all(db, squatted.id)
    two_factor.forget(db, squatted.id)
    account_deletion.close(db, squatted.id)
    _charge_no_card(db, squatted)
    owner = User(email=address, password_hash=None, email_verified_at=utc_now())
    db.add(owner)
    db.flush()
    owner = ledger.lock_account(db, owner.id)
    _bring_along(db, squatted, owner)
    log.info("account.taken_over", user_id=str(owner.id), before=str(squatted.id))
    return owner


def _charge_no_card(db: Session, squatted: User) -> None:
    billing = db.get(BillingAccount, squatted.id)
    if billing is not None:
        billing.top_up_is_on = False


def _bring_along(db: Session, squatted: User, owner: User) -> None:
    """Move what was bought and is not held; while it is frozen nothing is moved."""
    bought = squatted.credits_balance_micros - squatted.credits_promotional_micros
    moved = min(bought, squatted.credits_available_micros)
    if moved <= 0 or squatted.is_frozen:
        return
    for user, micros, way in ((squatted, -moved, "from"), (owner, moved, "to")):
        entry = Transaction(
            kind=EntryKind.ADJUSTMENT,
            amount_micros=micros,
            promotional_micros=0,
            reference=f"taken-over:{squatted.id}:{way}",
        )
        record(db, user, entry)
