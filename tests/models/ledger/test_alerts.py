"""Alerts come once for each step, and only to whom they concern."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy.orm import Session

from actions.sentences.alerts import words
from models import ledger
from models.base import new_id
from models.errors import NotFound
from models.ledger import alerts, limits
from models.ledger.limits import Limits
from models.schema.alerts import AlertKind
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, EntryNote, WriteOffReason
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.models.ledger.test_entries import closed

CENT = 10_000
NOON = datetime(2026, 6, 10, 12, tzinfo=UTC)


@pytest.fixture
def job(db: Session, ada: User) -> Job:
    """A message of Ada's, who has a limit of a dime a day."""
    limits.choose(db, ada.id, Limits(day_micros=10 * CENT))
    return factories.running(db, ada)


def told(db: Session, job: Job, cents: int) -> list[tuple[AlertKind, int]]:
    """Spend so much more; what is told then."""
    closed(db, job, cents * CENT, held=max(cents, 1) * CENT)
    return [(alert.kind, alert.percent) for alert in alerts.raise_due(db, job.user_id)]


def test_each_step_is_told_once(db: Session, job: Job) -> None:
    assert told(db, job, 4) == []
    assert told(db, job, 1) == [(AlertKind.DAY, 50)]
    assert told(db, job, 1) == []
    assert told(db, job, 2) == [(AlertKind.DAY, 75)]
    assert told(db, job, 2) == [(AlertKind.DAY, 100)]
    assert told(db, job, 1) == []


def test_of_steps_passed_at_once_the_highest_is_told(db: Session, job: Job) -> None:
    assert told(db, job, 9) == [(AlertKind.DAY, 75)]
    assert told(db, job, 0) == []


def test_a_new_day_and_a_new_limit_are_told_anew(db: Session, job: Job) -> None:
    with time_machine.travel(NOON, tick=False):
        assert told(db, job, 5) == [(AlertKind.DAY, 50)]
        limits.choose(db, job.user_id, Limits(day_micros=8 * CENT))
        assert told(db, job, 0) == [(AlertKind.DAY, 50)]
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert told(db, job, 0) == []
        assert told(db, job, 4) == [(AlertKind.DAY, 50)]


def test_a_low_balance_is_told_once_until_credits_come(db: Session, ada: User, job: Job) -> None:
    limits.choose(db, ada.id, Limits())
    low = ada.credits_balance_micros - get_settings().low_balance_micros
    assert told(db, job, low // CENT) == []
    assert told(db, job, 1) == [(AlertKind.BALANCE, 100)]
    assert told(db, job, 1) == []
    ledger.grant(db, ada.id, CENT, reference="gift:1")
    assert told(db, job, 0) == [(AlertKind.BALANCE, 100)]


def test_a_low_balance_is_not_told_again_as_credits_go(db: Session, ada: User, job: Job) -> None:
    limits.choose(db, ada.id, Limits())
    low = ada.credits_balance_micros - get_settings().low_balance_micros
    assert told(db, job, low // CENT + 1) == [(AlertKind.BALANCE, 100)]
    kind, note = EntryKind.PAYMENT_REFUND, EntryNote.PAYMENT_REFUNDED
    assert ledger.clawback(db, ada, kind, CENT, reference="back:1", note=note) == CENT
    assert told(db, job, 0) == []


def test_a_limit_at_which_a_message_ended_is_not_called_used_up_before_it_is(
    db: Session, job: Job
) -> None:
    assert told(db, job, 9) == [(AlertKind.DAY, 75)]
    assert alerts.raise_reached(db, job.user_id, FailureCode.MONTH_LIMIT) == []
    [nearly] = alerts.raise_reached(db, job.user_id, FailureCode.DAY_LIMIT)
    assert words(nearly) == "Too little is left of your limit for today ($0.10) for another answer."
    assert alerts.raise_reached(db, job.user_id, FailureCode.DAY_LIMIT) == []
    assert told(db, job, 1) == [(AlertKind.DAY, 100)]
    assert alerts.raise_reached(db, job.user_id, FailureCode.DAY_LIMIT) == []


def test_a_limit_that_left_nothing_is_called_used_up(db: Session, job: Job) -> None:
    closed(db, job, 10 * CENT)
    [reached] = alerts.raise_reached(db, job.user_id, FailureCode.DAY_LIMIT)
    assert words(reached) == "Your limit for today ($0.10) is used up."


def shown(db: Session, user: User) -> list[str]:
    return [words(alert) for alert in alerts.list_open(db, user)]


def test_an_alert_is_over_with_its_day(db: Session, ada: User, job: Job) -> None:
    with time_machine.travel(NOON, tick=False):
        assert told(db, job, 5)
        assert shown(db, ada) == ["Half of your limit for today ($0.10) is spent."]
    with time_machine.travel(NOON + timedelta(days=1), tick=False):
        assert shown(db, ada) == []


def test_an_alert_is_over_with_its_limit(db: Session, ada: User, job: Job) -> None:
    told(db, job, 9)
    alerts.raise_reached(db, ada.id, FailureCode.DAY_LIMIT)
    assert shown(db, ada) == [
        "Too little is left of your limit for today ($0.10) for another answer."
    ]
    limits.choose(db, ada.id, Limits(day_micros=50 * CENT))
    assert shown(db, ada) == []
    limits.choose(db, ada.id, Limits())
    assert shown(db, ada) == []


def test_an_alert_of_what_was_given_back_is_over(db: Session, ada: User, job: Job) -> None:
    factories.charge(db, job, 6 * CENT)
    alerts.raise_due(db, ada.id)
    assert len(shown(db, ada)) == 1
    ledger.refund_job(db, job.id, reason=WriteOffReason.JOB_FAILED)
    assert shown(db, ada) == []


def test_a_low_balance_is_over_when_credits_come(db: Session, ada: User, job: Job) -> None:
    limits.choose(db, ada.id, Limits())
    told(db, job, (ada.credits_balance_micros - get_settings().low_balance_micros) // CENT + 1)
    [low] = alerts.list_open(db, ada)
    assert not low.is_of_limit
    ledger.grant(db, ada.id, CENT, reference="gift:1")
    assert shown(db, ada) == []


def test_of_each_kind_the_newest_is_shown_until_it_is_dismissed(
    db: Session, ada: User, eve: User, job: Job
) -> None:
    told(db, job, 5)
    told(db, job, 3)
    [newest] = alerts.list_open(db, ada)
    assert newest.percent == 75
    assert alerts.list_open(db, eve) == []
    for other in (eve.id, new_id()):
        with pytest.raises(NotFound):
            alerts.dismiss(db, other, newest.id)
    alerts.dismiss(db, ada.id, newest.id)
    assert alerts.list_open(db, ada) == []
