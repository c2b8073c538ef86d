"""A user's reminders as a calendar (RFC 5545) at a secret link, for other programs to read."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice

from flask import Blueprint, Response, flash, make_response, request, url_for

from actions import calendar_import
from actions.sentences import reminders as sentences
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import utc_now
from models.email.templates.content import address_on_site
from models.errors import NotFound, Refused
from models.periods import zone_of
from models.reminders import feeds, queries, recurrence
from models.schema.reminders import Reminder, ReminderStatus
from models.schema.users import User
from settings import get_settings
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.formats import viewers_zone
from webapp.core.htmx import Answer, go_to
from webapp.reminders.forms import ReminderForm
from webapp.reminders.reminders import page

pages = Blueprint("calendar", __name__)

# A calendar reads anew every few hours, so it need not know of more.
SHOWN_AHEAD = timedelta(days=92)
SHOWN_OF_EACH = 40
SHOWN_IN_ALL = 2000
LINE_BYTES = 75


@pages.post("/reminders/calendar")
@member_required
def renew() -> Answer:
    """Make a secret link, and show it this once; the one before ends."""
    secret = feeds.renew(db(), current_user().id)
    address = address_on_site(url_for("calendar.read", secret=secret))
    return page(ReminderForm.empty(viewers_zone()), feed_address=address)


@pages.post("/reminders/calendar/revocation")
@member_required
def revoke() -> Answer:
    """End the secret link."""
    feeds.revoke(db(), current_user().id)
    flash("The calendar link works no more.")
    return go_to(url_for("reminders.show", _anchor="calendar"))


@pages.post("/reminders/calendar/import")
@member_required
def bring_in() -> Answer:
    """Set reminders for the events of a calendar file, and say what was left out."""
    sent = request.files.get("calendar")
    data = sent.stream.read(calendar_import.MOST_BYTES + 1) if sent else b""
    try:
        done = calendar_import.bring_in(db(), current_user(), data)
    except Refused as refusal:
        return page(ReminderForm.empty(viewers_zone()), sentence_of(refusal)), 422
    flash(sentences.imported(done.added, done.known, done.left_out))
    return go_to(url_for("reminders.show"))


@pages.get("/calendar.ics")
def read() -> Response:
    """Show the reminders of whoever made the link; it needs no login.

    The secret is in the query, which no log line has.
    """
    try:
        reader = feeds.reader(db(), values.secret(request.args.get("secret")))
    except BadValue as nonsense:
        raise NotFound from nonsense
    if reader is None:
        raise NotFound
    response = make_response(_calendar(reader))
    response.mimetype = "text/calendar"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _calendar(user: User) -> str:
    """Write each time that is to come as an event of its own, in UTC: no reader gets it wrong."""
    name = get_settings().product_name
    lines = [
        *("BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:-//{_text(name)}//Reminders//EN"),
        f"X-WR-CALNAME:{_text(name)}",
        *(line for event in islice(_events(user), SHOWN_IN_ALL) for line in event),
        "END:VCALENDAR",
    ]
    return "".join(f"{_folded(line)}\r\n" for line in lines)


def _events(user: User) -> Iterator[list[str]]:
    for reminder in queries.list_open(db(), user.id):
        for at in islice(_times(reminder), SHOWN_OF_EACH):
            yield [
                "BEGIN:VEVENT",
                f"UID:{reminder.id}-{at:%Y%m%dT%H%M%S}",
                f"DTSTAMP:{_stamp(reminder.created_at)}",
                f"DTSTART:{_stamp(at)}",
                "DURATION:PT15M",
                f"SUMMARY:{_text(reminder.words)}",
                "TRANSP:TRANSPARENT",
                "END:VEVENT",
            ]


def _times(reminder: Reminder) -> Iterator[datetime]:
    """Yield when it fires, soonest first: once more if it was snoozed, then by its recurrence."""
    last = utc_now() + SHOWN_AHEAD
    if reminder.snoozed_until is not None and reminder.status is ReminderStatus.ACTIVE:
        yield reminder.snoozed_until
    rule, zone = recurrence.of(reminder), zone_of(reminder.timezone)
    at = reminder.scheduled_at
    while at is not None:
        yield at
        at = recurrence.next_after(rule, zone, at)
        if at is not None and at > last:
            return


def _stamp(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(words: str) -> str:
    for special in ("\\", ";", ","):
        words = words.replace(special, f"\\{special}")
    return " ".join(words.split())


def _folded(line: str) -> str:
    """Break a line that is too long, between characters; what goes on begins with a space."""
    parts, room = [""], LINE_BYTES
    for letter in line:
        size = len(letter.encode())
        if size > room:
            parts.append(" ")
            room = LINE_BYTES - 1
        parts[-1] += letter
        room -= size
    return "\r\n".join(parts)
