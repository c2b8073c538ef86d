"""What the books must hold to, as admins read it."""

from collections.abc import Mapping

from models.schema.audits import AuditRule
from models.translation import gettext, marked

RULES: Mapping[AuditRule, str] = {
    AuditRule.BALANCE_IS_SUM: marked("the balance is the sum of the entries"),
    AuditRule.GRANTED_IS_SUM: marked("the granted part is the sum of the granted parts"),
    AuditRule.HELD_BY_OPEN_CALLS: marked("what is held is what open calls hold"),
    AuditRule.CHARGE_HAS_CALL: marked("a charge has its call"),
    AuditRule.CALL_HAS_CHARGE: marked("a call has its charge, or was absorbed"),
    AuditRule.REFUND_IS_WHOLE: marked("a refund gives back a whole charge"),
    AuditRule.WRITE_OFF_HAS_REASON: marked("what is written off has its reason"),
    AuditRule.WITHIN_DAILY_CAP: marked("what is given back in a day stays within its cap"),
    AuditRule.CHARGE_STANDS_OR_RETURNED: marked("a charge stands or was given back"),
    AuditRule.PAID_IS_TOPPED_UP: marked("what was paid is what was topped up"),
    AuditRule.RETURNED_IS_REFUNDED: marked("what went back of a payment is what its refunds took"),
    AuditRule.STRIPE_PAYMENTS: marked("what was paid at Stripe is what was topped up"),
    AuditRule.STRIPE_REFUNDS: marked("what went back at Stripe is what was taken back"),
    AuditRule.OTHER: marked("a rule of before"),
}


def rule(which: AuditRule) -> str:
    """Say what a rule of the audit wants."""
    return gettext(RULES[which])
