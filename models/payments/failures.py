"""Payments that come to nothing, and what that means for the automatic ones."""

from uuid import UUID

from sqlalchemy.orm import Session

from models.schema.payments import (
    BillingAccount,
    Payment,
    PaymentFailure,
    PaymentKind,
    PaymentStatus,
    TopUpOffReason,
)

MOST_FAILURES = 3
STRIPES_OWN = frozenset(
    {
        PaymentFailure.AUTHENTICATION_REQUIRED,
        PaymentFailure.CARD_DECLINED,
        PaymentFailure.EXPIRED_CARD,
        PaymentFailure.INSUFFICIENT_FUNDS,
    }
)


def failed(db: Session, payment: Payment, code: str) -> bool:
    """Close a payment that failed; switch automatic top-up off when its card is of no use.

    That is when the bank wants to see its customer, and after three failures in a row. Returns
    whether it was switched off now. A payment that is over already stays as it is.
    """
    if not payment.is_pending:
        return False
    failure = _failure_of(code)
    payment.status, payment.failure = PaymentStatus.FAILED, failure
    is_off = False
    if payment.kind is PaymentKind.AUTOMATIC:
        # Of an account that was erased meanwhile nothing is left that could be switched off.
        account = db.get(BillingAccount, payment.user_id)
        is_off = account is not None and _count(account, failure)
    db.flush()
    return is_off


def _failure_of(code: str) -> PaymentFailure:
    return PaymentFailure(code) if code in STRIPES_OWN else PaymentFailure.NOT_COMPLETED


def _count(account: BillingAccount, failure: PaymentFailure) -> bool:
    was_on = account.top_up_is_on
    account.top_up_failures += 1
    if failure is PaymentFailure.AUTHENTICATION_REQUIRED:
        switch_off(account, TopUpOffReason.BANK_ASKS)
    elif account.top_up_failures >= MOST_FAILURES:
        switch_off(
            account, TopUpOffReason.TRIED_TOO_OFTEN, failure=failure, tries=account.top_up_failures
        )
    return was_on and not account.top_up_is_on


def stop_after_return(db: Session, user_id: UUID) -> bool:
    """Charge a locked account's card no more by itself, as money of it went back.

    Its credits go too: below the threshold the same money would be charged again at once. Returns
    whether it was switched off now.
    """
    account = db.get(BillingAccount, user_id)
    if account is None or not account.top_up_is_on:
        return False
    switch_off(account, TopUpOffReason.MONEY_WENT_BACK)
    db.flush()
    return True


def switch_off(account: BillingAccount, reason: TopUpOffReason, **details: object) -> None:
    """Stop topping up by itself, and keep the reason for its user."""
    account.top_up_is_on, account.top_up_off_reason = False, reason
    account.top_up_off_details = details
