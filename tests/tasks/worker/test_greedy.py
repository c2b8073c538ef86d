"""No sequence of messages, failures, retries and days gets more out of us than a day's cap."""

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,  # pyright: ignore[reportUnknownVariableType]
)
from sqlalchemy.orm import Session

from agent.turn import TurnFailure
from gateways.s3_files import Storage
from models import ledger
from settings import Settings, get_settings
from tests.tasks.greedy import ENDS, Call, Greedy, Script

CAP = 400_000
# Dear ones, so that a day's cap is soon used up; few are counted beyond their hold.
PERCENTS = [0, 60, 100, 100, 100, 100, 160]
CALLS = st.lists(
    st.builds(Call, st.sampled_from([50_000, 200_000, 500_000]), st.sampled_from(PERCENTS)),
    max_size=3,
)
CODES = sorted(set(TurnFailure) - {TurnFailure.ABSORBED_LIMIT})
SCRIPTS = st.builds(
    Script,
    calls=CALLS.map(tuple),
    words=st.sampled_from(["", "", "A part"]),
    tools=st.sampled_from([(), (), ("read",)]),
    end=st.sampled_from([*ENDS, *CODES]),
    is_permanent=st.booleans(),
)
ASK = {"send": Greedy.send, "retry": Greedy.retry, "go on": Greedy.go_on}
ASKING = ["send", "send", "retry", "go on"]


class Farming(RuleBasedStateMachine):
    """What hypothesis may do, each time as another person."""

    def __init__(self, db: Session, given: Settings) -> None:
        super().__init__()
        self.db = db
        self.person = Greedy(db, given)

    def teardown(self) -> None:
        assert not any(ledger.audit(self.db, self.person.user_id).values())

    @initialize()
    def begin(self) -> None:
        self.person.top_up(5_000_000)

    @rule(by=st.sampled_from(ASKING), script=SCRIPTS)
    def have_answered(self, by: str, script: Script) -> None:
        ASK[by](self.person)
        self.person.live_through(script)

    @rule(script=SCRIPTS)
    def wait(self, script: Script) -> None:
        self.person.live_through(script)

    @rule(by=st.sampled_from(sorted(ASK)))
    def ask(self, by: str) -> None:
        ASK[by](self.person)

    @rule(is_deleted=st.booleans())
    def give_up(self, *, is_deleted: bool) -> None:
        self.person.delete() if is_deleted else self.person.clawback()

    @rule(micros=st.sampled_from([10_000, 1_000_000]))
    def top_up(self, micros: int) -> None:
        self.person.top_up(micros)

    @rule(zone=st.sampled_from(["Pacific/Kiritimati", "Pacific/Pago_Pago"]))
    def move(self, zone: str) -> None:
        self.person.move(zone)

    @rule()
    def sleep(self) -> None:
        self.person.sleep()

    @invariant()
    def nothing_is_farmed(self) -> None:
        assert self.person.gained() <= CAP + self.person.costliest
        user = self.person.user
        assert 0 <= user.credits_held_micros <= user.credits_balance_micros


@pytest.fixture
def given(adjust: Callable[..., None], redis_url: str, storage: Storage) -> Settings:
    assert redis_url
    assert storage
    adjust(ABSORBED_DAILY_LIMIT_MICROS=str(CAP), JOB_RETRY_DELAY_SECONDS="0")
    return get_settings()


def test_nobody_farms_more_than_the_cap(db: Session, given: Settings) -> None:
    run_state_machine_as_test(
        partial(Farming, db, given),  # pyright: ignore[reportArgumentType]  # any factory will do
        settings=settings(
            max_examples=max(2, settings().max_examples // 8),
            stateful_step_count=25,
            deadline=None,
            database=None,
            derandomize=True,
            # To make a failure smaller would take minutes.
            phases=[Phase.generate],
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
