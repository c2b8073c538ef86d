"""Payments that come to nothing, and what that means for the automatic ones."""

from sqlalchemy.orm import Session

from models.payments.table import BillingAccount, Payment, PaymentKind, PaymentStatus

MOST_FAILURES = 3
ASKS_OWNER = "authentication_required"
WORDS = {
    ASKS_OWNER: "Your bank wants you to confirm each payment.",
    "card_declined": "Your card was declined.",
    "expired_card": "Your card has expired.",
    "insufficient_funds": "There was not enough money on your card.",
}
OTHERWISE = "The payment did not go through."


def failed(db: Session, payment: Payment, code: str) -> bool:
    """Close a payment that failed; switch automatic top-up off when its card is of no use.

    That is when the bank wants to see its customer, and after three failures in a row. Returns
    whether it was switched off now. A payment that is over already stays as it is.
    """
    if not payment.is_pending:
        return False
    words = WORDS.get(code, OTHERWISE)
    payment.status, payment.failure = PaymentStatus.FAILED, words
    is_off = False
    if payment.kind is PaymentKind.AUTOMATIC:
        is_off = _count(db.get_one(BillingAccount, payment.user_id), code, words)
    db.flush()
    return is_off


def _count(account: BillingAccount, code: str, words: str) -> bool:
    was_on = account.top_up_is_on
    account.top_up_failures += 1
    if code == ASKS_OWNER:
        switch_off(account, f"{words} That cannot be done while you are away.")
    elif account.top_up_failures >= MOST_FAILURES:
        switch_off(account, f"{words} It was tried {MOST_FAILURES} times.")
    return was_on and not account.top_up_is_on


def switch_off(account: BillingAccount, reason: str) -> None:
    """Stop topping up by itself, and keep the reason for its person."""
    account.top_up_is_on, account.top_up_off_reason = False, reason
