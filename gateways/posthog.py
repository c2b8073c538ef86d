"""PostHog: takes events in batches. It knows them by their ids, so one sent twice counts once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import httpx2

from gateways import bounded_http
from settings import Settings

# Its answer is a word or two.
ANSWER_BYTES = 64_000
AT_ONCE = 200
OK = 200


class AnalyticsFailed(Exception):
    """The events were not taken; the same ones may be sent again."""


@dataclass(frozen=True)
class Event:
    """A step of somebody, who is named by nothing that leads to them."""

    id: UUID
    name: str
    person: str
    happened_at: datetime


def send(settings: Settings, events: Sequence[Event]) -> None:
    """Hand at most AT_ONCE events in; raise AnalyticsFailed when that does not work."""
    if settings.posthog_key is None:
        raise AnalyticsFailed("there is no key")
    body = {
        "api_key": settings.posthog_key.get_secret_value(),
        "batch": [_written(one) for one in events],
    }
    url = f"{settings.posthog_url.rstrip('/')}/batch/"
    seconds = settings.posthog_timeout_seconds
    try:
        with bounded_http.client(seconds=seconds, most_bytes=ANSWER_BYTES) as http:
            answer = http.post(url, json=body)
    except httpx2.HTTPError as error:
        raise AnalyticsFailed(repr(error)) from error
    if answer.status_code != OK:
        raise AnalyticsFailed(f"the answer was {answer.status_code}")


def _written(event: Event) -> dict[str, object]:
    return {
        "uuid": str(event.id),
        "event": event.name,
        "distinct_id": event.person,
        "timestamp": event.happened_at.astimezone(UTC).isoformat(),
        # Nothing is looked up by the address that we send from, and no profile is made.
        "properties": {"$geoip_disable": True, "$process_person_profile": False},
    }
