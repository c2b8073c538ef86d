"""The one card of a person that may be charged while they are away. Its number is Stripe's."""

from uuid import UUID

from sqlalchemy.orm import Session

from models.payments.checkout import account_of
from models.payments.failures import switch_off
from models.schema.payments import TopUpOffReason


def saved(
    db: Session, user_id: UUID, card_id: str, brand: str, last4: str, fingerprint: str = ""
) -> None:
    """Keep the card that a person, whose account is locked, saved last."""
    account = account_of(db, user_id)
    account.card_fingerprint = fingerprint or None
    account.card_id, account.card_brand, account.card_last4 = card_id, brand, last4
    db.flush()


def removed(db: Session, user_id: UUID, card_id: str) -> None:
    """Forget a card of a locked account, which ends automatic top-up; another card stays."""
    account = account_of(db, user_id)
    if account.card_id != card_id:
        return
    if account.top_up_is_on:
        switch_off(account, TopUpOffReason.CARD_REMOVED)
    # Its mark stays: whose card it was is asked when somebody else comes with it.
    account.card_id = account.card_brand = account.card_last4 = None
    db.flush()
