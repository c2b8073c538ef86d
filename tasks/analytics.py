"""Hands the steps of users on to the analytics service, where there is one."""

import hmac
from uuid import UUID

import structlog

from gateways import posthog
from gateways.posthog import AnalyticsFailed, Event
from models.base import utc_now
from models.database import unit_of_work
from models.ops import product_events
from settings import get_settings

log = structlog.get_logger()


def forward() -> int:
    """Hand on all that is new, batch by batch; return how many. What fails is tried again later.

    No transaction waits for the network: a batch that was taken and not noted is sent once more.
    """
    settings, sent = get_settings(), 0
    if settings.posthog_key is None:
        return 0
    while True:
        with unit_of_work() as db:
            found = product_events.lock_new(db, posthog.AT_ONCE)
            events = [
                Event(one.id, one.kind, _person(one.user_id), one.happened_at) for one in found
            ]
        if not events:
            return sent
        try:
            posthog.send(settings, events)
        except AnalyticsFailed as error:
            log.warning("analytics.failed", error=str(error))
            return sent
        with unit_of_work() as db:
            product_events.note_forwarded(db, [one.id for one in events], utc_now())
        sent += len(events)


def _person(user_id: UUID) -> str:
    """Name somebody by a hash that only we can make."""
    key = get_settings().secret_key.get_secret_value().encode()
    return hmac.new(key, b"analytics:" + user_id.bytes, "sha256").hexdigest()
