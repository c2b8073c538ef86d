"""Refunds that admins ordered: Stripe is asked for each once its row is there, and looked up later.

Stripe keeps an idempotency key for a day. While it does, an order that was not answered is asked
for again under the same key; after LOOKED_UP_AFTER it is looked for in Stripe's list of refunds.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import dramatiq
import structlog

from actions import wakeups
from actions.broker import get_broker
from gateways import values
from gateways.stripe_payments import PaymentsFailed
from gateways.stripe_refunds import RefundRequest, StripeRefunds
from models.base import utc_now
from models.database import unit_of_work
from models.payments import refund_orders
from models.payments.refund_orders import Unanswered
from settings import get_settings

log = structlog.get_logger()

# Whoever had begun to ask is gone by then.
ASKED_AGAIN_AFTER = timedelta(minutes=3)
LOOKED_UP_AFTER = timedelta(hours=20)


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.REFUND, queue_name=wakeups.ANSWERS_QUEUE)
def ask_stripe(order_id: str) -> None:
    """Ask Stripe for a refund that was ordered; told twice, it is done once."""
    ask(values.uuid(order_id))


def ask(order_id: UUID) -> None:
    """Ask Stripe for a refund, which it does once however often it is asked."""
    with unit_of_work() as db:
        order = refund_orders.find_unanswered(db, order_id)
    if order is None or utc_now() - order.ordered_at >= LOOKED_UP_AFTER:
        return
    wanted = RefundRequest(order.id, order.intent_id, order.cents)
    try:
        refund_id = StripeRefunds(get_settings()).refund(wanted)
    except PaymentsFailed as failure:
        log.warning("refund.failed", order_id=str(order_id), reason=str(failure))
        if failure.permanent:
            with unit_of_work() as db:
                refund_orders.mark_refused(db, order_id)
        return
    with unit_of_work() as db:
        refund_orders.mark_accepted(db, order_id, refund_id)
    log.info("refund.accepted", order_id=str(order_id), refund_id=refund_id)


def look_after() -> None:
    """Ask again what was not answered, and look up what is too old for that."""
    now = utc_now()
    with unit_of_work() as db:
        left = refund_orders.list_unanswered(db, before=now - ASKED_AGAIN_AFTER)
    old = [one for one in left if now - one.ordered_at >= LOOKED_UP_AFTER]
    for order in left:
        if order not in old:
            ask(order.id)
    if old:
        _look_up(old)


def _look_up(old: Sequence[Unanswered]) -> None:
    """Find all of them by two questions at most; what lies beyond is looked for the next time."""
    since = min(one.ordered_at for one in old)
    try:
        found = StripeRefunds(get_settings()).refunds_since(since)
    except PaymentsFailed as failure:
        log.warning("refund.not_looked_up", reason=str(failure))
        return
    for order in old:
        refund_id = found.by_order.get(order.id)
        with unit_of_work() as db:
            if refund_id is not None:
                refund_orders.mark_accepted(db, order.id, refund_id)
            elif found.reaches_to <= order.ordered_at:
                refund_orders.mark_lost(db, order.id)
        log.info("refund.looked_up", order_id=str(order.id), refund_id=refund_id)
