"""Times as a person's assistant reads them: the person's own, with the name of their zone."""

from datetime import datetime
from zoneinfo import ZoneInfo


def local_time(timezone: str, at: datetime) -> str:
    """Write `at`, which is aware, as it is in a zone; in UTC's if there is no zone of that name."""
    try:
        zone = ZoneInfo(timezone)
    except (KeyError, ValueError, OSError):
        zone = ZoneInfo("UTC")
    return f"{at.astimezone(zone):%a %Y-%m-%d %H:%M} {zone.key}"
