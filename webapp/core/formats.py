"""How values are shown: money, times, ids. All are Jinja filters or globals."""

from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from flask import Flask
from markupsafe import Markup

from models.money import money
from models.periods import zone_of
from webapp.core.auth import find_current_user

MINUTE, HOUR, DAY = 60, 3600, 86400


class Row(Protocol):
    __tablename__: str

    @property
    def id(self) -> object: ...


def install(app: Flask) -> None:
    """Give every template the filters, `dom_id` and `icon`."""
    for shown in (money, ago, local_time, local_day, iso, file_size, count, lasted):
        app.add_template_filter(shown)
    app.add_template_global(dom_id)
    # Drawn once each: importing the macro wherever one is shown took a third of a page's time.
    app.add_template_global(lru_cache(maxsize=256)(_icons(app)), "icon")


def ago(moment: datetime, now: datetime | None = None) -> str:
    """Say how long ago a moment was, in words; for old ones the day."""
    seconds = ((now or datetime.now(UTC)) - moment).total_seconds()
    if seconds < MINUTE:
        return "just now"
    for unit, name, limit in ((MINUTE, "minute", HOUR), (HOUR, "hour", DAY), (DAY, "day", 7 * DAY)):
        if seconds < limit:
            count = round(seconds // unit)
            return f"{count} {name}{'' if count == 1 else 's'} ago"
    return local_day(moment)


def duration(seconds: int) -> str:
    """Say how long somebody is to wait, never too little: `40 seconds`, `9 minutes`, `3 hours`."""
    for size, unit in ((HOUR, "hours"), (MINUTE, "minutes")):
        if seconds > size:
            return f"{-(-seconds // size)} {unit}"
    return f"{seconds} seconds" if seconds > 1 else "a second"


def local_time(moment: datetime) -> str:
    """Show a moment on the clock of whoever looks: `14:05`."""
    return moment.astimezone(viewers_zone()).strftime("%H:%M")


def local_day(moment: datetime) -> str:
    """Show a moment's day where the viewer lives: `3 March 2026`."""
    local = moment.astimezone(viewers_zone())
    return f"{local.day} {local:%B %Y}"


def count(number: int) -> str:
    """Show a number of things: `12,345`."""
    return f"{number:,}"


def short_money(micros: int) -> str:
    """Show an amount where there is little room: `$1.2k`, `$350`, `$0.50`."""
    dollars, sign = abs(micros) / 1_000_000, "-" if micros < 0 else ""
    if dollars >= 1000:
        return f"{sign}${dollars / 1000:.1f}".removesuffix(".0") + "k"
    return f"{sign}${dollars:.0f}" if dollars >= 10 or not micros else f"{sign}{money(abs(micros))}"


def lasted(seconds: float) -> str:
    """Show how long something took: `0.4 s`, `12 s`, `3 min 20 s`, `2 h 5 min`."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < MINUTE:
        return f"{whole} s"
    if whole < HOUR:
        return f"{whole // MINUTE} min {whole % MINUTE} s"
    return f"{whole // HOUR} h {whole % HOUR // MINUTE} min"


def file_size(size_bytes: int) -> str:
    """Show a number of bytes: `0 KB`, `840 KB`, `12 MB`, `1.4 GB`."""
    if size_bytes < 1_000_000:
        return f"{-(-size_bytes // 1000)} KB"
    if size_bytes < 1_000_000_000:
        return f"{size_bytes / 1_000_000:.0f} MB"
    return f"{size_bytes / 1_000_000_000:.1f}".removesuffix(".0") + " GB"


def iso(moment: datetime) -> str:
    """Show a moment for machines, as `<time datetime>` wants it."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")


def dom_id(row: Row, part: str = "") -> str:
    """Return the id of the element that shows `row`, or one part of it: `message-018f…-cost`."""
    name = f"{row.__tablename__.removesuffix('s').replace('_', '-')}-{row.id}"
    return f"{name}-{part}" if part else name


def _icons(app: Flask) -> Callable[..., Markup]:
    drawn = app.jinja_env.get_template("_icons.html").module
    return cast(Callable[..., Markup], drawn.icon)  # pyright: ignore[reportAttributeAccessIssue]


def viewers_zone() -> ZoneInfo:
    """Return the time zone of who is asking; UTC for strangers."""
    user = find_current_user()
    return zone_of(user.timezone if user else "UTC")
