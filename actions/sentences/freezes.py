"""Why an account may not spend, as its user reads it."""

from collections.abc import Mapping

from models.schema.ledger import FreezeReason
from models.schema.users import User
from models.translation import gettext, marked

FREEZES: Mapping[FreezeReason, str] = {
    FreezeReason.AUDIT: marked(
        "Something in your account does not add up, so nothing can be spent until we have looked."
    ),
    FreezeReason.DISPUTE: marked(
        "Sending is closed for now: a bank took a payment back after its credits had been used. You"
        " can read and download everything. Please write to us, and we will put it right."
    ),
    FreezeReason.REFUND: marked(
        "Sending is closed for now: a payment was given back after its credits had been used. You"
        " can read and download everything. Please write to us, and we will put it right."
    ),
    FreezeReason.OTHER: "%(text)s",
}


def freeze(reason: FreezeReason, details: Mapping[str, object]) -> str:
    """Say why an account is or was frozen."""
    if reason is FreezeReason.OTHER:
        return str(details.get("text", ""))
    return gettext(FREEZES[reason])


def of_user(user: User) -> str:
    """Say why a user may not spend; empty for one who may."""
    reason = user.spending_frozen_reason
    return freeze(reason, user.spending_frozen_details) if reason is not None else ""
