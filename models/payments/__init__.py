"""Payments: money that people pay for credits, at Stripe and nowhere else.

A payment is a row from the moment that somebody wants to pay. Its credits come when Stripe says by
an event that it is paid, and by nothing else. Events come late, twice and in any order; see
`stripe_effects`. No network is used here: what Stripe says and is asked goes through `actions`.
"""

from models.payments import auto_topup, cards, disputes, reconciliation, refunds, stripe_effects
from models.payments.checkout import (
    CENT_MICROS,
    BadAmount,
    account_of,
    begin,
    checked,
    fail_checkout,
    find_account,
    find_own,
    list_own,
    record_checkout,
    record_customer,
)
from models.payments.stripe_effects import AmountDiffers, TooEarly
from models.schema.payments import (
    BillingAccount,
    Dispute,
    DisputeStatus,
    EventTrouble,
    Payment,
    PaymentFailure,
    PaymentKind,
    PaymentStatus,
    Refund,
    StripeEvent,
    TopUpOffReason,
)

__all__ = [
    "CENT_MICROS",
    "AmountDiffers",
    "BadAmount",
    "BillingAccount",
    "Dispute",
    "DisputeStatus",
    "EventTrouble",
    "Payment",
    "PaymentFailure",
    "PaymentKind",
    "PaymentStatus",
    "Refund",
    "StripeEvent",
    "TooEarly",
    "TopUpOffReason",
    "account_of",
    "auto_topup",
    "begin",
    "cards",
    "checked",
    "disputes",
    "fail_checkout",
    "find_account",
    "find_own",
    "list_own",
    "reconciliation",
    "record_checkout",
    "record_customer",
    "refunds",
    "stripe_effects",
]
