"""What becomes of payments and of automatic top-ups, and of events that have no effect."""

from collections.abc import Mapping

from models.schema.payments import (
    BillingAccount,
    EventTrouble,
    Payment,
    PaymentFailure,
    TopUpOffReason,
)
from models.translation import gettext, marked

FAILURES: Mapping[PaymentFailure, str] = {
    PaymentFailure.AUTHENTICATION_REQUIRED: marked("Your bank wants you to confirm each payment."),
    PaymentFailure.CARD_DECLINED: marked("Your card was declined."),
    PaymentFailure.EXPIRED_CARD: marked("Your card has expired."),
    PaymentFailure.INSUFFICIENT_FUNDS: marked("There was not enough money on your card."),
    PaymentFailure.NOT_COMPLETED: marked("The payment did not go through."),
    PaymentFailure.PAGE_NOT_OPENED: marked(
        "The payment page could not be opened. Nothing was charged."
    ),
    PaymentFailure.OTHER: "%(text)s",
}
OFF: Mapping[TopUpOffReason, str] = {
    TopUpOffReason.BANK_ASKS: marked(
        "Your bank wants you to confirm each payment. That cannot be done while you are away."
    ),
    TopUpOffReason.TRIED_TOO_OFTEN: marked("%(failure)s It was tried %(tries)s times."),
    TopUpOffReason.CARD_REMOVED: marked("The saved card was removed."),
    TopUpOffReason.MONEY_WENT_BACK: marked("Money of a payment went back to your card."),
    TopUpOffReason.OTHER: "%(text)s",
}
TROUBLES: Mapping[EventTrouble, str] = {
    EventTrouble.AMOUNT_DIFFERS: marked(
        "payment %(payment_id)s: %(bought_micros)s micros of %(currency)s"
    ),
    EventTrouble.CONTRADICTS_BOOKS: marked("it contradicts the books: %(constraint)s"),
    EventTrouble.OTHER: "%(text)s",
}


def failure(payment: Payment) -> str:
    """Say why a payment came to nothing; empty for one that did not."""
    code = payment.failure
    if code is None:
        return ""
    if code is PaymentFailure.OTHER:
        return str(payment.failure_details.get("text", ""))
    return gettext(FAILURES[code])


def top_up_off(account: BillingAccount) -> str:
    """Say why we have switched an automatic top-up off; empty if we have not."""
    reason, details = account.top_up_off_reason, account.top_up_off_details
    if reason is None:
        return ""
    if reason is TopUpOffReason.OTHER:
        return str(details.get("text", ""))
    if reason is TopUpOffReason.TRIED_TOO_OFTEN:
        why = gettext(FAILURES[PaymentFailure(details["failure"])])
        return gettext(OFF[reason], failure=why, tries=details["tries"])
    return gettext(OFF[reason])


def trouble(code: EventTrouble, details: Mapping[str, object]) -> str:
    """Say, to admins, why an event of Stripe's can have no effect."""
    if code is EventTrouble.OTHER:
        return str(details.get("text", ""))
    return gettext(TROUBLES[code], **details)
