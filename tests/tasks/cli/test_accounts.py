"""One account, shown and unfrozen by hand."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import database, jobs, ledger
from models.database import unit_of_work
from models.ledger import freezes
from models.people import two_factor
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import FreezeReason
from models.schema.users import User
from settings import PROJECT_DIR
from tasks.cli import accounts
from tests import factories
from tests.models.ledger.test_entries import GRANT
from tests.models.ledger.test_write_offs import failed
from tests.models.people.test_two_factor import switched_on

ADDRESS = "grace@example.org"


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


ByHand = Callable[..., Ended]


@pytest.fixture
def by_hand(
    emptied: sa.Engine, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> ByHand:
    """Does what the command does, on the connections of this process."""
    assert emptied

    def _connect(*_: object, **__: object) -> None:
        """They are there."""

    def _by_hand(*arguments: str) -> Ended:
        capsys.readouterr()
        code = accounts.main(arguments)
        said = capsys.readouterr()
        return Ended(code, said.out, said.err)

    monkeypatch.setattr(database, "connect", _connect)
    return _by_hand


def frozen(*, off_by: int = 0) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, ADDRESS)
        owner.credits_balance_micros += off_by
        ledger.freeze(owner, FreezeReason.AUDIT)


def is_frozen(engine: sa.Engine) -> bool:
    with Session(engine) as check:
        return check.scalars(sa.select(User)).one().is_frozen


def is_admin(engine: sa.Engine) -> bool:
    with Session(engine) as check:
        return check.scalars(sa.select(User)).one().is_admin


def test_a_freeze_is_shown_and_ended(emptied: sa.Engine, by_hand: ByHand) -> None:
    frozen()
    shown = by_hand("show", ADDRESS)
    assert shown.returncode == 0, shown.stderr
    assert "frozen since" in shown.stdout
    assert "does not add up" in shown.stdout

    ended = by_hand("unfreeze", ADDRESS)

    assert ended.returncode == 0, ended.stderr
    assert "not frozen" in ended.stdout
    assert not is_frozen(emptied)


def test_what_is_wrong_is_shown_and_needs_force(emptied: sa.Engine, by_hand: ByHand) -> None:
    frozen(off_by=1)

    refused = by_hand("unfreeze", ADDRESS)
    assert refused.returncode == 1
    assert "still finds something" in refused.stderr
    assert "off by 1 micros" in by_hand("show", ADDRESS).stdout
    assert is_frozen(emptied)

    forced = by_hand("unfreeze", ADDRESS, "--force", "Known to us.")
    assert forced.returncode == 0, forced.stderr
    assert "by force: Known to us." in forced.stdout
    assert not is_frozen(emptied)


def test_who_ended_a_freeze_on_the_site_is_shown(by_hand: ByHand) -> None:
    frozen()
    with unit_of_work() as db:
        admin = factories.user(db, "ada@example.org")
        freezes.end(db, freezes.find_account(db, ADDRESS).id, admin_id=admin.id)

    assert f"by the admin {admin.id}" in by_hand("show", ADDRESS).stdout


def test_an_admin_is_made_and_unmade_by_hand(emptied: sa.Engine, by_hand: ByHand) -> None:
    with unit_of_work() as db:
        assert not factories.user(db, ADDRESS).is_admin

    made = by_hand("admin", ADDRESS)
    assert made.returncode == 0, made.stderr
    assert "an admin" in made.stdout.splitlines()
    assert is_admin(emptied)

    assert "    role: owner" in made.stdout.splitlines()

    viewer = by_hand("admin", ADDRESS, "--role", "viewer")
    assert "    role: viewer" in viewer.stdout.splitlines()

    assert "an admin" not in by_hand("no-admin", ADDRESS).stdout.splitlines()
    assert not is_admin(emptied)


def test_charges_beyond_the_cap_are_shown_and_given_back(
    emptied: sa.Engine, by_hand: ByHand, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    with unit_of_work() as db:
        user = factories.user(db, ADDRESS)
        failed(db, user, 70_000)
        waiting = factories.running(db, user)
        assert jobs.pause(db, waiting)
        waiting_id = waiting.id
    assert "beyond the cap of a day: $0.07" in by_hand("show", ADDRESS).stdout

    given = by_hand("give-back", ADDRESS)

    assert given.returncode == 0, given.stderr
    assert "Given back: $0.07." in given.stdout
    assert "beyond the cap" not in given.stdout
    with Session(emptied) as check:
        assert check.scalars(sa.select(User)).one().credits_balance_micros == GRANT
        # As with all new credits.
        assert check.get_one(Job, waiting_id).status is JobStatus.PENDING


def test_who_is_not_there_is_said_to_be_not_there(by_hand: ByHand) -> None:
    for verb in ("show", "give-back", "admin", "no-admin"):
        refused = by_hand(verb, "nobody@example.org")
        assert refused.returncode == 1
        assert "no account" in refused.stderr


def test_the_command_itself_is_run_in_a_process_of_its_own(emptied: sa.Engine) -> None:
    frozen()
    command = [sys.executable, "-m", "tasks.cli.accounts", "unfreeze", ADDRESS]

    done = subprocess.run(command, cwd=PROJECT_DIR, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "not frozen" in done.stdout
    assert not is_frozen(emptied)


def test_two_factor_sign_in_is_taken_off_by_hand(by_hand: ByHand) -> None:
    with unit_of_work() as db:
        grace_id = factories.user(db, ADDRESS).id
    assert by_hand("no-two-factor", ADDRESS).returncode == 1
    with unit_of_work() as db:
        switched_on(db, db.get_one(User, grace_id))
    assert by_hand("no-two-factor", ADDRESS).returncode == 0
    with unit_of_work() as db:
        assert not two_factor.is_on(db, grace_id)
