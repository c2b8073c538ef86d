"""Customers of erased accounts are deleted at Stripe, as often as it takes."""

import structlog

from gateways.stripe_payments import PaymentsFailed, StripePayments
from models.database import unit_of_work
from models.payments import customer_deletions
from settings import get_settings

log = structlog.get_logger()

AT_ONCE = 50


def look_after() -> None:
    """Delete customers who are due; one whom Stripe does not have any more counts as deleted."""
    for _ in range(AT_ONCE):
        with unit_of_work() as db:
            customer_id = customer_deletions.claim_next(db)
        if customer_id is None:
            return
        try:
            StripePayments(get_settings()).delete_customer(customer_id)
        except PaymentsFailed as failure:
            log.warning("customer.not_deleted", permanent=failure.permanent, reason=str(failure))
            continue
        with unit_of_work() as db:
            customer_deletions.note_done(db, customer_id)
        log.info("customer.deleted")
