"""Switches: typed, by version, on record, and soon the same in every process."""

import pytest
import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from models.base import new_id
from models.ops import admin_actions, switch_changes, switches
from models.ops.admin_actions import Order, ReasonMissing
from models.ops.switch_changes import NothingSwitched, SwitchesChanged
from models.ops.switches import Pause, PauseScope, SignUpRule, Switches
from models.people import users
from models.people.admin_roles import NotOfThisRole
from models.schema.admins import AdminAction, AdminActionKind, AdminRole
from models.schema.switches import SwitchVersion
from models.schema.users import User
from settings import get_settings
from tests import factories

ALL = Pause(scope=PauseScope.ALL, sentence="Back at noon.")


@pytest.fixture
def olga(db: Session) -> User:
    """Owns the business."""
    person = factories.user(db, "olga@example.org", name="Olga")
    users.set_admin_role(person, AdminRole.OWNER)
    db.commit()
    return person


def order(who: User, reason: str = "As we agreed.") -> Order:
    return Order(who, reason, new_id())


def test_what_was_never_switched_follows_the_settings(db: Session) -> None:
    found = switches.current(db)
    assert found.sign_up is SignUpRule.OPEN
    assert found.margin_percent == get_settings().margin_percent
    assert found.sign_up_grant_micros == get_settings().sign_up_grant_micros
    assert found.free_grants_per_network == get_settings().free_grants_per_network
    assert found == switches.Switches()


def test_a_change_counts_at_once_here_and_is_on_record(db: Session, olga: User) -> None:
    assert switches.current(db).sign_up is SignUpRule.OPEN
    wanted = Switches(sign_up=SignUpRule.INVITE_ONLY, margin=45)
    switch_changes.change(db, order(olga, "Beta."), wanted, shown_version=0)
    db.commit()
    assert switches.current(db) == wanted
    (entry,) = db.scalars(sa.select(AdminAction)).all()
    assert (entry.kind, entry.user_id) == (AdminActionKind.SWITCHES_CHANGED, None)
    assert entry.before == {"version": 0, "sign_up": "open", "margin": None}
    assert entry.after == {"version": 1, "sign_up": "invite_only", "margin": 45}
    (version,) = switch_changes.list_versions(db, 10)
    assert (version.version, version.admin_email, version.reason) == (1, olga.email, "Beta.")


def test_another_process_reads_it_when_what_it_kept_is_no_longer_fresh(
    db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(switches.time, "monotonic", lambda: now)
    switches.current(db)
    written = Switches(announcement="Hello").model_dump(mode="json")
    rest = {"admin_id": new_id(), "admin_email": "olga@example.org", "reason": "Test."}
    db.add(SwitchVersion(version=1, switches={**written, "of_tomorrow": 1}, **rest))
    db.commit()
    assert switches.current(db).announcement == ""
    now += switches.FRESH_SECONDS
    assert switches.FRESH_SECONDS < 5
    assert switches.current(db).announcement == "Hello"


def test_a_change_is_done_once_and_over_no_other(db: Session, olga: User) -> None:
    once = order(olga)
    for _ in range(2):
        switch_changes.change(db, once, Switches(announcement="One"), shown_version=0)
    assert switches.latest(db).version == 1
    with pytest.raises(SwitchesChanged):
        switch_changes.change(db, order(olga), Switches(announcement="Two"), shown_version=0)
    with pytest.raises(NothingSwitched):
        switch_changes.change(db, order(olga), Switches(announcement="One"), shown_version=1)
    with pytest.raises(ReasonMissing):
        switch_changes.change(db, order(olga, " "), Switches(), shown_version=1)


@pytest.mark.parametrize("role", [AdminRole.SUPPORT, AdminRole.VIEWER])
def test_only_owners_switch(db: Session, olga: User, role: AdminRole) -> None:
    users.set_admin_role(olga, role)
    with pytest.raises(NotOfThisRole):
        switch_changes.change(db, order(olga), Switches(margin=31), shown_version=0)


@pytest.mark.parametrize("margin", [29, 51])
def test_the_margin_stays_within_what_was_promised(db: Session, olga: User, margin: int) -> None:
    with pytest.raises(ValidationError):
        Switches(margin=margin)
    unchecked = Switches().model_copy(update={"margin": margin})
    with pytest.raises(ValidationError):
        switch_changes.change(db, order(olga), unchecked, shown_version=0)


def test_pauses_come_and_go_beside_the_other_switches(db: Session, olga: User) -> None:
    openai = Pause(scope=PauseScope.PROVIDER, name="openai", sentence="OpenAI is away.")
    switch_changes.pause_claiming(db, order(olga), ALL)
    switch_changes.pause_claiming(db, order(olga), openai)
    switch_changes.change(db, order(olga), Switches(announcement="Hello"), shown_version=2)
    assert switches.latest(db).switches.pauses == (ALL, openai)
    switch_changes.resume_claiming(db, order(olga), PauseScope.ALL, "")
    assert switches.latest(db).switches == Switches(announcement="Hello", pauses=(openai,))
    with pytest.raises(NothingSwitched):
        switch_changes.resume_claiming(db, order(olga), PauseScope.ALL, "")
    assert len(admin_actions.list_recent(db, limit=10)) == 4


def test_versions_are_not_rewritten(db: Session, olga: User) -> None:
    switch_changes.change(db, order(olga), Switches(margin=31), shown_version=0)
    with pytest.raises(DatabaseError):
        db.execute(sa.update(SwitchVersion).values(reason="Nobody did."))
