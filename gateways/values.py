"""The gate: whatever somebody outside wrote passes here before it means anything.

A pattern is matched first and only then is anything converted, so that no value, however long or
odd, costs more than reading it: `Decimal("1e999990")` would hold a process for half a minute. The
web's forms and queries, webhooks, and what models and channels ask for use the same functions. Each
raises BadValue for what does not fit, and knows nothing of who asked.
"""

import re
import unicodedata
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import Any, cast
from uuid import UUID
from zoneinfo import available_timezones

MICROS_PER_DOLLAR = 1_000_000
MICROS_PER_CENT = 10_000
FIRST_YEAR, LAST_YEAR = 2000, 2100
# What PostgreSQL keeps as a whole number.
MOST_INTEGER = 2**63 - 1
# The longest that RFC 5321 lets an address be.
ADDRESS_BYTES = 254
# Linux and S3 clients count bytes; a prefix of ours has to fit before it.
FILE_NAME_BYTES = 160

INTEGER = re.compile(r"-?[0-9]{1,19}", re.ASCII)
DOLLARS = re.compile(
    r"\$? ?(?:([0-9](?:,[0-9]{3}){2}|[0-9]{1,3},[0-9]{3}|[0-9]{1,7})(?:\.([0-9]{0,2}))?"
    r"|\.([0-9]{1,2}))"
)
DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
CLOCK = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?")
MONTH = re.compile(r"([0-9]{4})-([0-9]{2})")
# Of Redis, in milliseconds: up to the year 2286. The second part may be missing.
STREAM_ID = re.compile(r"([0-9]{1,13})(?:-([0-9]{1,19}))?")
UUID_FORM = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
DIGITS = re.compile(r"[0-9]{1,40}")
BASE64URL = re.compile(r"[A-Za-z0-9_-]{1,400}")
TIME_OF_DAY = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])(?::00(?:\.000)?)?")
STRIPE_ID = re.compile(r"[a-z]{2,20}(?:_[A-Za-z0-9]{1,200}){1,4}")
CODE = re.compile(r"[a-z][a-z0-9_.]{0,99}")
MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,199}")
SECRET = re.compile(r"[A-Za-z0-9_-]{20,200}")
ZONE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_+/-]{0,63}")
WEB_ADDRESS = re.compile(r"https?://[!-~]{1,2000}")
ADDRESS = re.compile(r"[^\s@\x00-\x1f\x7f<>()\[\],;:\"\\]+@[^\s@\x00-\x1f\x7f<>()\[\],;:\"\\/]+")
# Among the names of zones, but those of a machine's own clock, or of none.
NO_PLACES = {"localtime", "posixrules", "Factory"}
# Neither PostgreSQL nor UTF-8 can hold these.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
# They turn the direction of what follows, so that a name reads as another one.
BIDI_CONTROLS = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c]")
# Signs that pile up on one letter until it covers the lines around it.
MOST_MARKS = 8


class BadValue(ValueError):
    """This value is not of the form that was asked for."""


def is_keepable(words: str) -> bool:
    """Whether PostgreSQL and UTF-8 can hold these words: no NUL, no half of a pair."""
    return UNKEEPABLE.search(words) is None


def text(given: object, *, most_bytes: int) -> str:
    """Return words as they were given; refuse what cannot be kept, or is too long in UTF-8."""
    if not isinstance(given, str) or len(given) > most_bytes or not is_keepable(given):
        raise BadValue
    if len(given.encode()) > most_bytes:
        raise BadValue
    return given


def line(given: object, *, most: int, least: int = 0) -> str:
    """Return a name in one line: in NFC, its spaces joined, `least` to `most` characters.

    Refuses control characters, changes of direction, letters that are piled up with marks, and
    where there has to be something, what nobody can see.
    """
    whole = text(given, most_bytes=most * 32 + 4096)
    joined = unicodedata.normalize("NFC", " ".join(whole.split()))
    if CONTROLS.search(joined) or BIDI_CONTROLS.search(joined) or _is_piled(joined):
        raise BadValue
    if not least <= len(joined) <= most or (least and not _is_seen(joined)):
        raise BadValue
    return joined


def file_name(given: object, *, fallback: str, most_bytes: int = FILE_NAME_BYTES) -> str:
    """Make of what a browser calls a file a name that any file system takes; it never refuses.

    In NFC, without folders, controls and changes of direction, its ending kept when it is cut to
    `most_bytes` of UTF-8. `fallback` is for a name of which nothing is left.
    """
    plain = given if isinstance(given, str) else ""
    last = re.split(r"[/\\]", plain[-4096:])[-1]
    for unwanted in (UNKEEPABLE, CONTROLS, BIDI_CONTROLS):
        last = unwanted.sub("", last)
    name = unicodedata.normalize("NFC", " ".join(last.split())).strip()
    if not name.strip(". "):
        return fallback
    stem, dot, ending = name.rpartition(".")
    if not dot or not stem or len(ending.encode()) > 16:
        stem, ending = name, ""
    kept = _cut(stem, most_bytes - len((dot + ending).encode()) if ending else most_bytes)
    return f"{kept}.{ending}" if ending else kept


def integer(given: object, *, least: int = 0, most: int = MOST_INTEGER) -> int:
    """Read a whole number between two bounds, from its digits or from JSON."""
    if isinstance(given, str) and len(given) <= 20 and INTEGER.fullmatch(given):
        number = int(given)
    elif isinstance(given, int) and not isinstance(given, bool):
        number = given
    else:
        raise BadValue
    if not least <= number <= most:
        raise BadValue
    return number


def dollars(given: object) -> int:
    """Read dollars as people type them, to the cent, below ten million; return micro-dollars."""
    typed = given.strip() if isinstance(given, str) and len(given) <= 64 else ""
    amount = DOLLARS.fullmatch(typed)
    if amount is None:
        raise BadValue
    cents = (amount[2] or amount[3] or "").ljust(2, "0")
    whole = (amount[1] or "0").replace(",", "")
    return int(whole) * MICROS_PER_DOLLAR + int(cents) * MICROS_PER_CENT


def day(given: object) -> date:
    """Read a date like 2026-11-30, of the years 2000 to 2100."""
    return _date(_match(DAY, given))


def clock(given: object) -> time:
    """Read a time of day like 08:00 or 08:00:30."""
    hour, minute, second = _match(CLOCK, given).groups()
    try:
        return time(int(hour), int(minute), int(second or 0))
    except ValueError as impossible:
        raise BadValue from impossible


def wall_clock(given: object) -> datetime:
    """Read a time like 2026-11-30T08:00 as a clock on a wall shows it, without a zone."""
    typed = text(given, most_bytes=64).replace(" ", "T", 1)
    at, _, of_day = typed.partition("T")
    return datetime.combine(day(at), clock(of_day))


def month(given: object) -> date:
    """Read a month like 2026-11, of the years 2000 to 2100; return its first day."""
    return _date(_match(MONTH, given))


def moment(given: object) -> datetime:
    """Read seconds since 1970, between the years 2000 and 2100, as a time in UTC."""
    first = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp()
    last = datetime(LAST_YEAR, 12, 31, tzinfo=UTC).timestamp()
    return datetime.fromtimestamp(integer(given, least=int(first), most=int(last)), UTC)


def uuid(given: object) -> UUID:
    """Read an id of ours, with its hyphens or, as scripts make them, without."""
    return UUID(_match(UUID_FORM, given)[0])


def uuid_or_none(given: object) -> UUID | None:
    """Read an id of ours; None for what is none."""
    try:
        return uuid(given)
    except BadValue:
        return None


def stream_id(given: object) -> tuple[int, int]:
    """Read the id of an event in a stream: its milliseconds since 1970, and its number in them."""
    found = _match(STREAM_ID, given)
    return int(found[1]), int(found[2] or 0)


def digits(given: object, *, count: int) -> str:
    """Return so many digits, as they were given."""
    found = _match(DIGITS, given)[0]
    if len(found) != count:
        raise BadValue
    return found


def base64url(given: object, *, count: int) -> bytes:
    """Read so many bytes from base64url without padding, as browsers write keys."""
    letters = _match(BASE64URL, given)[0]
    if len(letters) != -(-count * 8 // 6):
        raise BadValue
    return urlsafe_b64decode(letters + "=" * (-len(letters) % 4))


def minute_of_day(given: object) -> int:
    """Read a time of the day like 22:30; return the minutes since midnight."""
    found = _match(TIME_OF_DAY, given)
    return int(found[1]) * 60 + int(found[2])


def stripe_id(given: object) -> str:
    """Return an id of Stripe's, like `pi_3Mtw`."""
    return _match(STRIPE_ID, given)[0]


def code(given: object) -> str:
    """Return a word of a machine's, like `card_declined` or `charge.succeeded`."""
    return _match(CODE, given)[0]


def model_id(given: object) -> str:
    """Return what may be a model's id, like `demo/demo`, offered or not."""
    return _match(MODEL_ID, given)[0]


def secret(given: object) -> str:
    """Return what may be the secret of a link of ours."""
    return _match(SECRET, given)[0]


def web_address(given: object) -> str:
    """Return an address of http or https."""
    return _match(WEB_ADDRESS, given)[0]


def address(given: object) -> str:
    """Return what has the shape of an e-mail address and fits into an envelope."""
    typed = text(given, most_bytes=4 * ADDRESS_BYTES).strip()
    if len(typed.encode()) > ADDRESS_BYTES or not ADDRESS.fullmatch(typed):
        raise BadValue
    return typed


def time_zone(given: object) -> str:
    """Return the name of a known time zone, like `Europe/Berlin`."""
    name = _match(ZONE, given)[0]
    if name not in _zones():
        raise BadValue
    return name


def mapping(given: object) -> Mapping[str, Any]:
    """Return an object of JSON."""
    if not isinstance(given, dict):
        raise BadValue
    return cast(Mapping[str, Any], given)


def _match(pattern: re.Pattern[str], given: object) -> re.Match[str]:
    found = pattern.fullmatch(given) if isinstance(given, str) and len(given) <= 4096 else None
    if found is None:
        raise BadValue
    return found


def _date(found: re.Match[str]) -> date:
    year, number, *rest = (int(part) for part in found.groups())
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise BadValue
    try:
        return date(year, number, rest[0] if rest else 1)
    except ValueError as impossible:
        raise BadValue from impossible


def _cut(name: str, most_bytes: int) -> str:
    """Cut a name by whole characters."""
    return name.encode()[:most_bytes].decode(errors="ignore").rstrip()


def _is_seen(words: str) -> bool:
    """Whether any of it is more than a blank, a joiner or a mark on nothing."""
    return any(unicodedata.category(letter)[0] in "LNPS" for letter in words)


def _is_piled(words: str) -> bool:
    marks = 0
    for letter in words:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks > MOST_MARKS:
            return True
    return False


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones() - NO_PLACES)
