"""What admins read about what speaks against a user."""

from collections.abc import Mapping

from models.money import money
from models.ops.abuse_scores import Sign
from models.schema.abuse import AbuseReason
from models.translation import gettext, marked

MICROS_PER_CENT = 10_000
REASONS: Mapping[AbuseReason, str] = {
    AbuseReason.NETWORK_CROWDED: marked("%(number)s accounts of one network within a week"),
    AbuseReason.DOMAIN_CROWDED: marked("%(number)s accounts of a new mail domain within a week"),
    AbuseReason.CREDIT_REFUSED: marked("the free credit was refused"),
    AbuseReason.SHARED_CARD: marked("a card that %(number)s other accounts have"),
    AbuseReason.SHARED_DEVICE: marked("a device that %(number)s other accounts use"),
    AbuseReason.VELOCITY: marked("%(number)s messages today"),
    AbuseReason.SPEND_ANOMALY: marked("%(number)s spent today, far beyond what is usual"),
    AbuseReason.FAILED_PAYMENTS: marked("%(number)s payments failed within a week"),
    AbuseReason.DISPUTED: marked("%(number)s payments disputed"),
}


def sign(one: Sign) -> str:
    """Say what speaks against a user, in words for admins."""
    is_money = one.reason is AbuseReason.SPEND_ANOMALY
    number = money(one.number * MICROS_PER_CENT) if is_money else one.number
    return gettext(REASONS[one.reason], number=number)
