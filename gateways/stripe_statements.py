"""What Stripe has of a time, so that it can be held against our books."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from gateways import stripe_events, values
from gateways.stripe_events import Body


@dataclass(frozen=True)
class PaidIntent:
    """A payment that succeeded; `payment_id` is ours, if it was begun by us."""

    intent_id: str
    payment_id: UUID | None
    cents: int


@dataclass(frozen=True)
class MadeRefund:
    """A refund; one that failed or was cancelled is of 0 cents."""

    refund_id: str
    intent_id: str
    cents: int


@dataclass(frozen=True)
class Statement:
    """All that was begun at Stripe since `since`, which is later than asked for if it was a lot."""

    since: datetime
    payments: list[PaidIntent]
    refunds: list[MadeRefund]


def cut(found: Iterable[Any], since: datetime, most: int) -> tuple[list[Body], datetime]:
    """Take up to `most` of a list, newest first; return them and since when there is no gap."""
    taken = [one.to_dict() for one in islice(found, most)]
    if len(taken) < most:
        return taken, since
    return taken, values.moment(taken[-1]["created"]) + timedelta(seconds=1)


def paid(intents: Iterable[Body]) -> Iterator[PaidIntent]:
    """Read those payments that succeeded."""
    for one in intents:
        if one["status"] == "succeeded":
            yield PaidIntent(one["id"], stripe_events.own_id(one), one["amount_received"])


def made(refunds: Iterable[Body]) -> Iterator[MadeRefund]:
    """Read the refunds of payments."""
    for one in refunds:
        if one.get("payment_intent"):
            is_dead = one["status"] in stripe_events.DEAD_REFUNDS
            yield MadeRefund(one["id"], one["payment_intent"], 0 if is_dead else one["amount"])
