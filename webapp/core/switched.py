"""What admins have switched, as far as every page shows it: an announcement, and maintenance."""

from contextlib import suppress

from flask import Flask, request

from actions.sentences import pauses
from models.database import OUTAGES, open_session
from models.ops import switches
from webapp.core.shares import FOR_ANYBODY


def install(app: Flask) -> None:
    """Know the switches in each request, and let templates ask for `announcements`."""
    app.before_request(_look)
    app.add_template_global(announcements, "announcements")


def announcements() -> tuple[str, ...]:
    """Say what stands above every page: why nothing can be sent, and what admins have to say."""
    now = switches.last_read()
    said = (
        pauses.maintenance(now.maintenance_sentence) if now.is_maintenance else "",
        now.announcement,
    )
    return tuple(filter(None, said))


def _look() -> None:
    if request.endpoint in FOR_ANYBODY:
        return
    # What was read last counts while the database is away; many pages need nothing of it.
    with suppress(*OUTAGES), open_session() as db:
        switches.current(db)
