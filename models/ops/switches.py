"""Reads the switches, which admins change while the product runs: `switches.current(db)`.

Each process keeps what it read for FRESH_SECONDS, so a change counts everywhere within that, and
asking costs hardly a query. What was never switched follows the settings. `switch_changes` writes.
"""

import enum
import threading
import time
from typing import Annotated, NamedTuple

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from models.schema.switches import SwitchVersion
from settings import get_settings

# Less than the five seconds that are promised, as a claim or a page may take a while on top.
FRESH_SECONDS = 2.0
SENTENCE_MAX_LENGTH = 300

Sentence = Annotated[str, Field(max_length=SENTENCE_MAX_LENGTH)]


class SignUpRule(enum.StrEnum):
    """Who may begin an account."""

    OPEN = "open"
    # Who has an invitation code.
    INVITE_ONLY = "invite_only"
    CLOSED = "closed"


class PauseScope(enum.StrEnum):
    """Which messages a pause keeps from being answered."""

    ALL = "all"
    PROVIDER = "provider"
    CHANNEL = "channel"


class Pause(BaseModel):
    """Keeps messages from being claimed; users read its sentence meanwhile."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    scope: PauseScope
    # Of the provider or channel; empty for all.
    name: Annotated[str, Field(max_length=100)] = ""
    sentence: Sentence = ""


class Switches(BaseModel):
    """All switches of one version. None, or nothing, is as the settings have it."""

    # What a newer version of the product has added is no error for one that is still running.
    model_config = ConfigDict(frozen=True, extra="ignore")

    sign_up: SignUpRule = SignUpRule.OPEN
    # Stands above every page while it is not empty.
    announcement: Sentence = ""
    # Pages are read as ever; messages are refused, with the sentence.
    is_maintenance: bool = False
    maintenance_sentence: Sentence = ""
    # "provider/model", of the catalogue.
    models_off: tuple[str, ...] = ()
    default_model: str | None = None
    margin: Annotated[int, Field(ge=30, le=50)] | None = None
    # What a newcomer is given, in micro-dollars.
    free_credit: Annotated[int, Field(ge=0, le=20_000_000)] | None = None
    # For one network: free credits a week (0 is no limit), requests at once.
    network_grants: Annotated[int, Field(ge=0, le=10_000)] | None = None
    network_requests: Annotated[int, Field(ge=1, le=10_000)] | None = None
    pauses: tuple[Pause, ...] = ()

    def find_pause(self, provider: str, channel: str) -> Pause | None:
        """Return the pause that keeps a message from being answered, if there is one."""
        named = {PauseScope.ALL: "", PauseScope.PROVIDER: provider, PauseScope.CHANNEL: channel}
        return next((one for one in self.pauses if one.name == named[one.scope]), None)

    @property
    def margin_percent(self) -> int:
        return get_settings().margin_percent if self.margin is None else self.margin

    @property
    def sign_up_grant_micros(self) -> int:
        given = self.free_credit
        return get_settings().sign_up_grant_micros if given is None else given

    @property
    def free_grants_per_network(self) -> int:
        given = self.network_grants
        return get_settings().free_grants_per_network if given is None else given


class Versioned(NamedTuple):
    """The switches, and how often they were changed."""

    version: int
    switches: Switches


NEVER_SWITCHED = Versioned(0, Switches())


class _Kept:
    """What this process read last."""

    found = NEVER_SWITCHED
    # Zero before it has read them at all.
    fresh_until = 0.0
    reading = threading.Lock()


def current(db: Session) -> Switches:
    """Return the switches as they are, or were FRESH_SECONDS ago."""
    if time.monotonic() >= _Kept.fresh_until:
        _read(db)
    return _Kept.found.switches


def last_read() -> Switches:
    """Return the switches as this process read them last, for code that has no database at hand."""
    return _Kept.found.switches


def latest(db: Session) -> Versioned:
    """Read the switches as they are now, with their version."""
    newest = select(SwitchVersion).order_by(SwitchVersion.version.desc()).limit(1)
    # Whoever asks may be in the middle of a change.
    with db.no_autoflush:
        row = db.scalar(newest)
    return NEVER_SWITCHED if row is None else _versioned(row)


def _read(db: Session) -> None:
    """Read them anew; of several threads one does, and only the first time the others wait."""
    if not _Kept.reading.acquire(blocking=_Kept.fresh_until == 0):
        return
    try:
        if time.monotonic() >= _Kept.fresh_until:
            _Kept.found = latest(db)
            _Kept.fresh_until = time.monotonic() + FRESH_SECONDS
    finally:
        _Kept.reading.release()


def keep(changed: Versioned) -> None:
    """Know at once what this process has just changed and committed."""
    if changed.version > _Kept.found.version:
        _Kept.found = changed


def forget() -> None:
    """Begin as a process that has read nothing."""
    _Kept.found, _Kept.fresh_until = NEVER_SWITCHED, 0.0


def _versioned(row: SwitchVersion) -> Versioned:
    return Versioned(row.version, Switches.model_validate(row.switches))
