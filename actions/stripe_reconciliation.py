"""Holds the books against Stripe's, for the audit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func

from gateways.stripe_payments import StripePayments
from gateways.stripe_statements import Statement
from models import ledger
from models.base import utc_now
from models.database import unit_of_work
from models.ledger import Mismatch
from models.payments import CENT_MICROS, reconciliation
from models.payments.reconciliation import StripeBooks, StripePayment, StripeRefund
from models.schema.audits import AuditFinding, AuditRule
from settings import get_settings

# What Stripe told within this time may still be on its way, or be taken in just now.
SETTLES_WITHIN = timedelta(minutes=15)


@dataclass(frozen=True)
class Comparison:
    """What breaks the rules; `is_whole` if it reaches back as far as it should."""

    broken: Mapping[AuditRule, Sequence[Mismatch]]
    is_whole: bool


def compare() -> Comparison:
    """Hold the payments and refunds of recent days against Stripe's; it changes nothing.

    Raises PaymentsFailed.
    """
    settings, until = get_settings(), utc_now()
    since = _since(until - timedelta(days=settings.audit_stripe_days))
    # Events may be as late as that, so what we took in since then may have begun before.
    late = timedelta(hours=settings.reconcile_hours)
    till = StripePayments(settings)
    statement = till.statement(since - late, settings.audit_stripe_most)
    told = till.told_since(until - SETTLES_WITHIN)
    unsettled = {notice.intent_id for notice in told if notice.intent_id}
    reaches = max(since, statement.since + late)
    with unit_of_work() as db:
        broken = reconciliation.compare(db, _books(statement, reaches, until, unsettled))
    return Comparison(broken, is_whole=reaches == since)


def _since(usually: datetime) -> datetime:
    """Look further back while something that was found is still open, to see its end."""
    days = timedelta(days=get_settings().audit_stripe_days)
    open_ones = ledger.open_findings().where(AuditFinding.rule.in_(reconciliation.COMPARED))
    oldest = open_ones.with_only_columns(func.min(AuditFinding.created_at)).order_by(None)
    with unit_of_work() as db:
        found_at = db.scalar(oldest)
    return usually if found_at is None else min(usually, found_at - days)


def _books(
    statement: Statement, since: datetime, until: datetime, unsettled: set[str]
) -> StripeBooks:
    return StripeBooks(
        since,
        until,
        [
            StripePayment(one.intent_id, one.payment_id, one.cents * CENT_MICROS)
            for one in statement.payments
        ],
        [
            StripeRefund(one.refund_id, one.intent_id, one.cents * CENT_MICROS)
            for one in statement.refunds
        ],
        unsettled,
    )
