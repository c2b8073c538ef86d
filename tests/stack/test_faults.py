# pyright: reportUnknownMemberType=false
"""What people see when something dies: their answer, or the reason; once, and paid once."""

import pytest

from actions.sentences import failures
from models.schema.jobs import JobStatus
from models.schema.ledger import EntryKind
from tests.house import House, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("house")]

# Slow enough to be caught in the middle, fast enough to be waited for.
LONG = "[[demo: words 80]] [[demo: slow 40ms]]"


@pytest.mark.long
def test_a_killed_worker_costs_a_wait_and_nothing_else(house: House) -> None:
    ada = house.person("Ada")
    job = ada.ask(f"Tell me a long story. {LONG}")
    ada.wait_for_words(job)

    house.kill("tasks.worker.main")

    outcome = ada.outcome(job)
    assert len(outcome.answer.split()) >= 80
    assert outcome.job.attempt == 2
    ada.assert_books_balance()
    kinds = [entry.kind for entry in ada.entries()]
    assert kinds.count(EntryKind.ABSORBED) == 1
    assert kinds.count(EntryKind.CHARGE) == 1
    assert len(house.asked_with("Tell me a long story")) == 2


@pytest.mark.long
def test_a_killed_cell_costs_a_wait_and_nothing_else(house: House) -> None:
    grace = house.person("Grace")
    job = grace.ask(f"Tell me another story. {LONG}")
    grace.wait_for_words(job)

    house.kill("openclaw-gateway")

    outcome = grace.outcome(job)
    assert len(outcome.answer.split()) >= 80
    grace.assert_books_balance()
    # Whatever the cut call was charged has been given back.
    charges = [entry for entry in grace.entries() if entry.kind is EntryKind.CHARGE]
    assert grace.paid_micros() == -charges[-1].amount_micros


def test_an_emptied_redis_loses_no_message(house: House) -> None:
    mary = house.person("Mary")
    job = mary.ask(f"Will this be lost? {LONG}")
    waiting = mary.ask("And this one?", job.conversation_id)
    mary.wait_for_words(job)

    house.redis().flushall()

    assert mary.outcome(job).answer
    assert mary.outcome(waiting).answer
    mary.assert_books_balance()


def test_stopping_ends_the_model_call_and_keeps_the_part(house: House) -> None:
    joan = house.person("Joan")
    job = joan.ask("Count for me. [[demo: words 2000]] [[demo: slow 40ms]]")
    joan.wait_for_words(job)

    joan.post(f"/jobs/{job.id}/cancellation")

    outcome = joan.outcome(job)
    assert outcome.job.status is JobStatus.CANCELLED
    assert outcome.answers
    assert outcome.answers[0].strip()
    wait_for(
        lambda: house.asked_with("Count for me")[-1]["ended"] == "hung_up",
        "the model call to be closed",
        seconds=5,
    )
    joan.assert_books_balance()
    assert joan.paid_micros() > 0


def test_a_provider_that_is_down_fails_with_a_reason_and_for_free(house: House) -> None:
    hedy = house.person("Hedy")

    outcome = hedy.ask_and_wait("Hello? [[demo: status 503]]")

    assert outcome.job.status is JobStatus.FAILED
    assert "not charged" in failures.of_job(outcome.job)
    assert hedy.paid_micros() == 0
    hedy.assert_books_balance()
    # The assistant is none the worse for it.
    assert hedy.ask_and_wait("Are you still there?", outcome.job.conversation_id).answer


def test_credit_that_runs_out_ends_the_run_at_zero(house: House) -> None:
    rosa = house.person("Rosa")
    rosa.keep_only(30_000)
    # More than can be held for a call is at our expense, within what we carry in a day.
    outcome = rosa.ask_and_wait("Say a word. [[demo: usage input=1 output=100000]]")
    assert outcome.job.failure_code == "no_credit"

    rosa.ask("One more?")
    wait_for(lambda: rosa.newest_job().status is JobStatus.PAUSED, "the message to be paused")
    assert "used up" in rosa.browser.get("/chat").text
    rosa.assert_books_balance()
    assert 29_900 < rosa.paid_micros() <= 30_000


def test_what_a_provider_refuses_is_no_part_of_what_is_remembered(house: House) -> None:
    """Or every later message of the conversation would be refused with it."""
    rosalind = house.person("Rosalind")
    begun = rosalind.ask_and_wait("My cat is Byron.").job
    rosalind.wait_until_saved(begun)

    refused = rosalind.ask_and_wait("Poison. [[demo: status 400]]", begun.conversation_id)

    assert refused.job.failure_code == "provider_refused"
    assert rosalind.paid_micros() > 0
    house.take_recorded()
    assert rosalind.ask_and_wait("Who is my cat?", begun.conversation_id).answer
    assert house.asked_with("My cat is Byron.")
    assert not house.asked_with("Poison.")
    rosalind.assert_books_balance()
