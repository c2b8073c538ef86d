"""Nothing goes by a sentence: what the product does stays the same when all are said otherwise.

Tests of what codes decide (who pays, what freezes and what ends that, what an audit finds, what is
refused) run here once more, under a catalogue whose sentences change each time they are read.
"""

from types import ModuleType

import pytest
from sqlalchemy.orm import Session

from actions.sentences import failures, freezes
from models import jobs, ledger
from models.schema.failure_codes import FailureCode
from models.schema.ledger import FreezeReason
from models.schema.users import User
from tests import factories
from tests.actions import test_automatic_charges, test_stripe_reconciliation
from tests.actions.catalogues import Reworded, spoken
from tests.models.ledger import test_alerts, test_freezes, test_limits
from tests.models.payments import test_disputes, test_refunds
from tests.tasks.worker import test_outcomes

AGAIN = (
    test_alerts,
    test_freezes,
    test_limits,
    test_disputes,
    test_refunds,
    test_stripe_reconciliation,
    test_outcomes,
    test_automatic_charges,
)
# These are about the words themselves.
ABOUT_WORDS = {
    "test_a_limit_at_which_a_message_ended_is_not_called_used_up_before_it_is",
    "test_a_limit_that_left_nothing_is_called_used_up",
    "test_an_alert_is_over_with_its_day",
    "test_an_alert_is_over_with_its_limit",
    "test_a_message_ends_a_day_whose_rest_is_too_small",
    "test_beyond_the_cap_a_charge_stands_and_its_part_is_kept",
}


def _again(module: ModuleType) -> dict[str, object]:
    """Return a module's fixtures, and its tests under names of their own."""
    part = module.__name__.rpartition(".test_")[2]
    return {
        f"test_{part}_{name.removeprefix('test_')}" if name.startswith("test_") else name: value
        for name, value in vars(module).items()
        if name not in ABOUT_WORDS
        and (name.startswith("test_") or "FixtureFunction" in type(value).__name__)
    }


for _module in AGAIN:
    globals().update(_again(_module))


@pytest.fixture(autouse=True)
def reworded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is said otherwise, each time."""
    spoken(monkeypatch, Reworded())


def test_what_is_stored_has_no_sentence_in_it(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.BUSY)
    ledger.freeze(ada, FreezeReason.REFUND)
    db.flush()

    first, second = (
        (failures.of_job(job), freezes.of_user(ada)),
        (
            failures.of_job(job),
            freezes.of_user(ada),
        ),
    )

    assert first[0] != second[0]
    assert first[1] != second[1]
    assert (job.failure_code, ada.spending_frozen_reason) == ("busy", "refund")
