"""What admins do with the switches: change them, pause claiming and resume it. All of it is logged.

Each refuses what `admin_actions.admit` refuses, and does nothing a second time under its key.
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.database import after_commit
from models.errors import Refused
from models.ops import admin_actions, switches
from models.ops.admin_actions import Change, Order
from models.ops.switches import Pause, PauseScope, Switches, Versioned
from models.people.admin_roles import Permission
from models.schema.admins import AdminActionKind
from models.schema.switches import SwitchVersion

# Of more than that nobody would keep account.
MOST_PAUSES = 20
_LOCK = "switches"


class SwitchesChanged(Refused):
    """Another admin changed the switches since they were shown."""

    code = "switches_changed"


class NothingSwitched(Refused):
    """The switches are so already."""

    code = "nothing_switched"


class TooManyPauses(Refused):
    """There are MOST_PAUSES pauses already."""

    code = "too_many_pauses"


def change(db: Session, order: Order, wanted: Switches, *, shown_version: int) -> None:
    """Set all switches but the pauses; refused when they are no longer as they were shown."""
    if not admin_actions.admit(db, order, needs=Permission.SWITCH):
        return
    version, before = _lock_latest(db)
    if version != shown_version:
        raise SwitchesChanged
    after = wanted.model_copy(update={"pauses": before.pauses})
    _write(db, order, AdminActionKind.SWITCHES_CHANGED, (version, before), after)


def pause_claiming(db: Session, order: Order, pause: Pause) -> None:
    """Let no worker claim what the pause is about; what runs runs on, what waits waits."""
    if not admin_actions.admit(db, order, needs=Permission.ACT):
        return
    version, before = _lock_latest(db)
    others = _without(before.pauses, pause.scope, pause.name)
    if len(others) >= MOST_PAUSES:
        raise TooManyPauses
    after = before.model_copy(update={"pauses": (*others, pause)})
    _write(db, order, AdminActionKind.CLAIMING_PAUSED, (version, before), after)


def resume_claiming(db: Session, order: Order, scope: PauseScope, name: str) -> None:
    """End a pause; refused when there is none."""
    if not admin_actions.admit(db, order, needs=Permission.ACT):
        return
    version, before = _lock_latest(db)
    after = before.model_copy(update={"pauses": _without(before.pauses, scope, name)})
    _write(db, order, AdminActionKind.CLAIMING_RESUMED, (version, before), after)


def list_versions(db: Session, limit: int) -> Sequence[SwitchVersion]:
    """List how the switches were changed, the latest first."""
    wanted = select(SwitchVersion).order_by(SwitchVersion.version.desc())
    return db.scalars(wanted.limit(limit)).all()


def _lock_latest(db: Session) -> tuple[int, Switches]:
    # Of two changes at once the second sees the first.
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(_LOCK, 0))))
    return switches.latest(db)


def _without(pauses: Sequence[Pause], scope: PauseScope, name: str) -> tuple[Pause, ...]:
    return tuple(one for one in pauses if (one.scope, one.name) != (scope, name))


def _write(
    db: Session,
    order: Order,
    kind: AdminActionKind,
    latest: tuple[int, Switches],
    wanted: Switches,
) -> None:
    version, before = latest
    # Whatever `model_copy` was given, what is written has been checked.
    after = Switches.model_validate(wanted.model_dump())
    if after == before:
        raise NothingSwitched
    was, is_now = before.model_dump(mode="json"), after.model_dump(mode="json")
    db.add(
        SwitchVersion(
            version=version + 1,
            switches=is_now,
            admin_id=order.admin.id,
            admin_email=order.admin.email,
            reason=order.reason.strip(),
        )
    )
    changed = {name for name, value in is_now.items() if value != was[name]}
    shown = Change(
        {"version": version, **{name: was[name] for name in changed}},
        {"version": version + 1, **{name: is_now[name] for name in changed}},
    )
    admin_actions.note(db, order, kind, None, change=shown)
    after_commit(db, lambda: switches.keep(Versioned(version + 1, after)))
