"""A conversation as it is shown, and how a person calls a job off."""

import pytest
from sqlalchemy.orm import Session

from models import jobs
from models.base import utc_now
from models.chat import context, conversations, history
from models.errors import NotFound
from models.jobs.cancellation import cancel, cancel_all
from models.schema.chat import Conversation, Role
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from tests import factories
from tests.factories import MODEL
from tests.statements import plan_for_any, said_by


def take(db: Session) -> Job:
    job = factories.claim(db)
    assert job is not None
    return job


def only(db: Session, conversation: Conversation) -> history.Exchange:
    (summary,) = history.page(db, conversation).summaries
    (exchange,) = history.exchanges_asked(db, [summary.asked_id])
    return exchange


def test_a_message_comes_with_its_answer_and_what_it_cost(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    jobs.ask(db, conversation, "Hello?", model=MODEL)
    job = take(db)
    factories.charge(db, job, 4000)
    factories.charge(db, job, 2000)
    factories.answer(db, job, "Hello!", "<p>Hello!</p>")
    (run,) = only(db, conversation).runs
    assert run.answer is not None
    assert (run.answer.text, run.cost_micros) == ("Hello!", 6000)


def test_answers_are_found_by_their_index(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    jobs.ask(db, conversation, "Hello?", model=MODEL)
    factories.answer(db, take(db), "Hello!", "<p>Hello!</p>")
    with said_by(db) as said:
        only(db, conversation)
        context.recent(db, ada.id, conversation.id, saved=None, limit=8)
    of_answers = [one for one in said if "= 'assistant'" in one]

    assert len(of_answers) == 3
    for statement in of_answers:
        assert "using uq_messages_answer" in plan_for_any(db, statement)


def test_what_failed_costs_nothing_and_gives_way_to_the_next_try(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    jobs.ask(db, conversation, "Hello?", model=MODEL)
    job = take(db)
    factories.charge(db, job, 4000)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    assert [run.cost_micros for run in only(db, conversation).runs] == [0]
    again = jobs.ask_again(db, job, model=MODEL)
    assert [run.job.id for run in only(db, conversation).runs] == [again.id]


def test_a_stopped_answer_stays_above_the_next_try(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    jobs.ask(db, conversation, "Hello?", model=MODEL)
    stopped = take(db)
    jobs.stop(db, stopped, answer="Hel", html="<p>Hel</p>")
    again = jobs.ask_again(db, stopped, model=MODEL)
    assert [run.job.id for run in only(db, conversation).runs] == [stopped.id, again.id]


def test_pages_join_to_the_whole_history(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    said = [conversations.say(db, conversation, Role.USER, str(n)).id for n in range(7)]

    last = history.page(db, conversation, limit=3)
    middle = history.page(db, conversation, before=last.earlier, limit=3)
    first = history.page(db, conversation, before=middle.earlier, limit=3)

    pages = (*first.summaries, *middle.summaries, *last.summaries)
    assert [summary.asked_id for summary in pages] == said
    assert (last.earlier, middle.earlier, first.earlier) == (said[4], said[1], None)


def test_exchanges_are_found_by_their_jobs_in_their_conversation_only(
    db: Session, ada: User
) -> None:
    here, there = factories.conversation(db, ada), factories.conversation(db, ada)
    mine = jobs.ask(db, here, "Here", model=MODEL)
    other = jobs.ask(db, there, "There", model=MODEL)
    found = history.exchanges_of(db, here, [mine.id, other.id])
    assert [exchange.asked.text for exchange in found] == ["Here"]


def test_what_moved_is_what_is_not_over_or_ended_lately(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    old = jobs.ask(db, conversation, "Old", model=MODEL)
    jobs.stop(db, old)
    since = utc_now()
    waiting = jobs.ask(db, conversation, "Demand", model=MODEL)
    ended = jobs.ask(db, conversation, "Ended", model=MODEL)
    jobs.stop(db, ended)
    factories.job(db, ada, "Elsewhere")
    moved = history.jobs_that_moved(db, conversation.id, since)
    assert [job.id for job in moved] == [waiting.id, ended.id]


def test_a_waiting_job_is_closed_and_the_next_moves_up(db: Session, ada: User) -> None:
    first, second = factories.job(db, ada), factories.job(db, ada)
    assert cancel(db, ada.id, first.id).status is JobStatus.CANCELLED
    db.refresh(second)
    assert second.is_head


def test_a_running_job_is_only_asked_to_stop(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    asked_at = cancel(db, ada.id, job.id).stop_requested_at
    assert job.status is JobStatus.RUNNING
    assert cancel(db, ada.id, job.id).stop_requested_at == asked_at


def test_a_job_that_is_over_stays_as_it_is(db: Session, ada: User) -> None:
    job = factories.running(db, ada)
    factories.answer(db, job, "Done.", "")
    assert cancel(db, ada.id, job.id).status is JobStatus.COMPLETED


def test_nobody_cancels_what_is_anothers(db: Session, ada: User, eve: User) -> None:
    job = factories.job(db, ada)
    with pytest.raises(NotFound):
        cancel(db, eve.id, job.id)
    assert cancel_all(db, eve.id, job.conversation_id) == []
    assert job.status is JobStatus.PENDING


def test_all_of_a_conversation_is_cancelled_and_nothing_else(db: Session, ada: User) -> None:
    conversation = factories.conversation(db, ada)
    for words in ("One", "Two", "Three"):
        jobs.ask(db, conversation, words, model=MODEL)
    running = take(db)
    elsewhere = factories.job(db, ada, "Elsewhere")
    cancelled = cancel_all(db, ada.id, conversation.id)
    assert len(cancelled) == 3
    assert {job.status for job in cancelled} == {JobStatus.RUNNING, JobStatus.CANCELLED}
    assert running.stop_requested_at is not None
    assert elsewhere.status is JobStatus.PENDING
    conversations.erase(db, conversation)


@pytest.mark.parametrize("ending", ["complete", "stop", "fail"])
def test_nothing_is_written_into_a_deleted_conversation(
    db: Session, ada: User, ending: str
) -> None:
    job = factories.running(db, ada)
    conversation = conversations.find_own(db, ada.id, job.conversation_id)
    conversations.erase(db, conversation)
    if ending == "complete":
        factories.answer(db, job, "A secret", "<p>A secret</p>")
    elif ending == "stop":
        jobs.stop(db, job, answer="A secret")
    else:
        jobs.fail(db, job, FailureCode.NO_CREDIT, answer="A secret")
    assert job.is_over
    assert history.page(db, conversation).summaries == ()
