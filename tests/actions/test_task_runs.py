"""Tasks become one job each, within what they may cost; what came of them is told once."""

from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import reminders as telling
from actions import task_runs
from models import jobs
from models.base import utc_now
from models.channels import accounts
from models.chat import answer_files, conversations, history
from models.chat.answer_files import StoredFile
from models.database import unit_of_work
from models.errors import NotFound
from models.ledger import drift
from models.ops import switches
from models.reminders import reminders
from models.reminders import task_runs as runs
from models.schema.answer_files import AnswerFile
from models.schema.channels import Delivery
from models.schema.chat import Conversation, Message, Role
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobOrigin, JobStatus
from models.schema.reminders import FiringOutcome, Reminder, ReminderFiring, ReminderKind, Repeats
from models.schema.switches import SwitchVersion
from models.schema.users import User
from tests import factories
from tests.models.reminders.making import made, make_due


@pytest.fixture(autouse=True)
def live(redis_url: str) -> Generator[None]:
    """The events of this test."""
    assert redis_url
    telling.wakeups.streams.cache_clear()
    telling.wakeups.wake_queue.cache_clear()
    yield
    telling.wakeups.streams.cache_clear()
    telling.wakeups.wake_queue.cache_clear()


@pytest.fixture
def talk(db: Session, ada: User) -> Conversation:
    return factories.conversation(db, ada)


def _switch(db: Session, admin: User, version: int, **switched: bool) -> None:
    by = {"admin_id": admin.id, "admin_email": admin.email, "reason": "Moving house."}
    db.add(SwitchVersion(version=version, switches=switched, **by))
    db.commit()
    switches.forget()


def _task(db: Session, user: User, talk: Conversation, **rest: str) -> Reminder:
    task = made(
        db,
        user,
        "Look for flights",
        conversation_id=talk.id,
        repeats=Repeats.DAILY,
        kind=ReminderKind.TASK,
        **rest,
    )
    make_due(db, task)
    return task


def _begin(db: Session) -> int:
    begun = task_runs.begin_due()
    db.expire_all()
    return begun


def _tell(db: Session) -> int:
    told = task_runs.tell_over()
    db.expire_all()
    return told


def _firing(db: Session) -> ReminderFiring:
    return db.scalars(select(ReminderFiring).order_by(ReminderFiring.id.desc())).first() or _none()


def _none() -> ReminderFiring:
    raise AssertionError


def _job(db: Session) -> Job:
    return db.scalars(select(Job)).one()


def _claimed(db: Session) -> Job:
    job = factories.claim(db)
    assert job is not None
    return job


def _shown(db: Session, talk: Conversation) -> list[str]:
    found = history.page(db, talk).summaries
    asked = history.exchanges_asked(db, [one.asked_id for one in found])
    return [exchange.asked.text for exchange in asked]


def test_a_task_becomes_one_job_of_its_own_origin(
    db: Session, ada: User, talk: Conversation
) -> None:
    task = _task(db, ada, talk)
    assert telling.fire_due() == 0
    assert (_begin(db), _begin(db)) == (1, 0)
    job = _job(db)
    assert (job.origin, job.conversation_id) == (JobOrigin.TASK, talk.id)
    assert _firing(db).outcome is FiringOutcome.RUNNING
    assert task.due_at is not None
    assert task.due_at > utc_now()
    assert _shown(db, talk) == ["Look for flights"]


def test_what_is_due_in_maintenance_waits_for_its_end(
    db: Session, ada: User, talk: Conversation
) -> None:
    _task(db, ada, talk)
    _switch(db, ada, 1, is_maintenance=True)
    assert _begin(db) == 0
    assert db.scalars(select(ReminderFiring)).all() == []
    _switch(db, ada, 2, is_maintenance=False)
    assert _begin(db) == 1
    assert _firing(db).outcome is FiringOutcome.RUNNING


def test_its_answer_is_told_once_on_messengers_too(
    db: Session, ada: User, talk: Conversation
) -> None:
    account = accounts.link(db, ada.id, "telegram", "1", "1", "Ada")
    _task(db, ada, talk)
    _begin(db)
    factories.answer(db, _claimed(db), "Three flights.")
    assert (_tell(db), _tell(db)) == (1, 0)
    assert _firing(db).outcome is FiringOutcome.TOLD
    sent = db.scalars(select(Delivery).where(Delivery.channel_account_id == account.id)).one()
    assert "Three flights." in sent.content["text"]
    # Files of the answer are where it leads.
    [opened] = sent.content["rows"][0]
    assert opened["url"].endswith(f"/chat/{talk.id}")
    assert drift(db, ada.id) == 0


def test_what_has_nothing_to_tell_leaves_no_word(
    db: Session, ada: User, talk: Conversation
) -> None:
    accounts.link(db, ada.id, "telegram", "1", "1", "Ada")
    _task(db, ada, talk, tell_only_if="one costs less than 100 euros")
    _begin(db)
    job = _claimed(db)
    assert _shown(db, talk) == []
    runs.keep_silent(db, job)
    factories.answer(db, job, "Nothing.")
    assert _tell(db) == 1
    assert _firing(db).outcome is FiringOutcome.NOTHING
    assert db.scalars(select(Message)).all() == []
    assert db.scalars(select(Delivery)).all() == []


def test_what_has_nothing_to_tell_leaves_no_file(
    db: Session, ada: User, talk: Conversation
) -> None:
    _task(db, ada, talk, tell_only_if="one costs less than 100 euros")
    _begin(db)
    job = _claimed(db)
    file = StoredFile("files/a.md", "a.md", "", "text/markdown", 5, "k/1", "k/1-small")
    answer_files.attach(db, job, file)
    runs.keep_silent(db, job)
    factories.answer(db, job, "Nothing.")
    noted: list[str] = []

    def _note(_: Session, keys: Sequence[str]) -> None:
        noted.extend(keys)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(task_runs, "drop_after_commit", _note)
        assert _tell(db) == 1
    assert db.scalars(select(AnswerFile)).all() == []
    assert noted == ["k/1", "k/1-small"]


def test_what_has_something_to_tell_is_shown(db: Session, ada: User, talk: Conversation) -> None:
    _task(db, ada, talk, tell_only_if="one costs less than 100 euros")
    _begin(db)
    factories.answer(db, _claimed(db), "One for 90.")
    assert _tell(db) == 1
    assert _shown(db, talk) == ["Look for flights"]


def test_an_attempt_that_was_lost_keeps_no_other_silent(
    db: Session, ada: User, talk: Conversation
) -> None:
    _task(db, ada, talk, tell_only_if="it rains")
    _begin(db)
    job = _claimed(db)
    runs.keep_silent(db, job)
    jobs.requeue(db, job)
    factories.answer(db, _claimed(db), "It rains.")
    _tell(db)
    assert _firing(db).outcome is FiringOutcome.TOLD


def test_without_credits_it_is_told_once_that_nothing_was_done(
    db: Session, ada: User, talk: Conversation
) -> None:
    ada.credits_balance_micros = ada.credits_promotional_micros = 0
    task = _task(db, ada, talk)
    _begin(db)
    assert (_firing(db).outcome, _firing(db).refusal) == (FiringOutcome.REFUSED, "out_of_credit")
    make_due(db, task)
    _begin(db)
    said = db.scalars(select(Message)).all()
    assert [one.role for one in said] == [Role.ASSISTANT]
    assert len(db.scalars(select(ReminderFiring)).all()) == 2
    assert db.scalars(select(Job)).all() == []


def _lose_credits(db: Session, user: User) -> None:
    user.credits_balance_micros = user.credits_promotional_micros = 0
    db.flush()


def _texts(db: Session) -> list[str]:
    return list(db.scalars(select(Message.text).order_by(Message.id)))


def test_once_there_are_credits_it_runs_when_it_is_due_next(
    db: Session, ada: User, talk: Conversation
) -> None:
    _lose_credits(db, ada)
    task = _task(db, ada, talk)
    for _ in range(3):
        _begin(db)
        make_due(db, task)
    factories.gift(db, ada.id, 1_000_000)
    assert len(_texts(db)) == 1
    _begin(db)
    factories.answer(db, _claimed(db), "Three flights.")
    _tell(db)
    assert _firing(db).outcome is FiringOutcome.TOLD
    assert _texts(db)[1:] == ["Look for flights", "Three flights."]


@pytest.mark.parametrize("condition", ["", "it rains"])
def test_one_that_runs_dry_is_told_once_and_waits_for_nothing(
    db: Session, ada: User, talk: Conversation, condition: str
) -> None:
    account = accounts.link(db, ada.id, "telegram", "1", "1", "Ada")
    task = _task(db, ada, talk, tell_only_if=condition)
    for _ in range(2):
        _begin(db)
        assert jobs.pause(db, _claimed(db))
        assert (_tell(db), _tell(db)) == (1, 0)
        fired = _firing(db)
        assert (fired.outcome, fired.refusal) == (FiringOutcome.REFUSED, "out_of_credit")
        make_due(db, task)
    assert _texts(db) == ["Look for flights"]
    assert _shown(db, talk) == ["Look for flights"]
    sent = db.scalars(select(Delivery).where(Delivery.channel_account_id == account.id)).one()
    assert "credits are used up" in sent.content["text"]
    # Nobody's messages wait behind it, and with credits it does not come late.
    assert not jobs.is_paused(db, ada)
    assert jobs.resume(db, ada.id) == []
    _lose_credits(db, ada)
    _begin(db)
    assert _texts(db) == ["Look for flights"]
    factories.gift(db, ada.id, 1_000_000)
    make_due(db, task)
    _begin(db)
    factories.answer(db, _claimed(db), "Three flights.")
    _tell(db)
    assert _firing(db).outcome is FiringOutcome.TOLD


def test_one_that_waits_behind_a_message_that_runs_dry_ends_with_it(
    db: Session, ada: User, talk: Conversation
) -> None:
    jobs.ask(db, factories.conversation(db, ada), "Hello?", model=factories.MODEL)
    own = _claimed(db)
    _task(db, ada, talk)
    _begin(db)
    jobs.pause(db, own)
    assert _tell(db) == 1
    assert _firing(db).refusal == "out_of_credit"
    factories.gift(db, ada.id, 1_000_000)
    # What a person waits for goes on.
    assert _claimed(db).id == own.id


def test_what_ran_dry_after_its_first_words_is_told_with_them(
    db: Session, ada: User, talk: Conversation
) -> None:
    _task(db, ada, talk)
    _begin(db)
    jobs.fail(db, _claimed(db), FailureCode.NO_CREDIT, answer="Two fl")
    _tell(db)
    assert _firing(db).outcome is FiringOutcome.FAILED
    assert _texts(db) == ["Look for flights", "Two fl"]


def test_all_tasks_of_a_day_cost_no_more_than_their_limit(
    db: Session, ada: User, talk: Conversation
) -> None:
    runs.choose_limit(db, ada.id, 60_000)
    _task(db, ada, talk)
    _begin(db)
    job = _claimed(db)
    assert job.cost_limit_micros == 60_000
    _task(db, ada, talk)
    _begin(db)
    assert _firing(db).refusal == "task_limit_reached"
    factories.charge(db, job, 20_000)
    factories.answer(db, job)
    assert runs.allowance(db, ada) == 40_000


def test_people_who_wait_go_before_tasks(db: Session, ada: User, talk: Conversation) -> None:
    _task(db, ada, talk)
    _begin(db)
    eve = factories.user(db, "eve@example.org")
    asked = factories.job(db, eve)
    own = jobs.ask(db, talk, "And I?", model=factories.MODEL)
    assert [_claimed(db).id, _claimed(db).id] == [asked.id, own.id]
    assert factories.claim(db) is None
    factories.answer(db, own)
    assert _claimed(db).origin is JobOrigin.TASK


def test_what_was_cancelled_never_begins(db: Session, ada: User, talk: Conversation) -> None:
    reminders.cancel(db, _task(db, ada, talk))
    assert _begin(db) == 0


@pytest.mark.parametrize("is_running", [False, True])
def test_a_task_that_is_deleted_is_stopped_and_shown(
    db: Session, ada: User, talk: Conversation, is_running: bool
) -> None:
    """It would go on, be charged and be told by nobody."""
    task = _task(db, ada, talk, tell_only_if="one costs less than 100 euros")
    _begin(db)
    job = _claimed(db) if is_running else _job(db)
    task_runs.delete(db, ada.id, task.id)
    db.expire_all()
    assert db.scalars(select(Reminder)).all() == []
    assert (job.stop_requested_at is not None) is is_running
    assert job.is_over is not is_running
    assert _shown(db, talk) == ["Look for flights"]


def test_a_task_that_is_deleted_when_it_had_nothing_to_tell_stays_untold(
    db: Session, ada: User, talk: Conversation
) -> None:
    task = _task(db, ada, talk, tell_only_if="one costs less than 100 euros")
    _begin(db)
    job = _claimed(db)
    runs.keep_silent(db, job)
    factories.answer(db, job, "Nothing.")
    task_runs.delete(db, ada.id, task.id)
    db.expire_all()
    assert job.status is JobStatus.COMPLETED
    assert db.scalars(select(Message)).all() == []


def test_a_deleted_task_is_its_users(db: Session, ada: User, eve: User, talk: Conversation) -> None:
    task = _task(db, ada, talk)
    _begin(db)
    with pytest.raises(NotFound):
        task_runs.delete(db, eve.id, task.id)
    assert not _job(db).is_over


def test_a_deleted_conversation_ends_what_runs_in_it_untold(
    db: Session, ada: User, talk: Conversation
) -> None:
    _task(db, ada, talk)
    _begin(db)
    jobs.stop(db, _claimed(db))
    conversations.erase(db, talk)
    assert _tell(db) == 1
    assert _firing(db).outcome is FiringOutcome.STOPPED


def _commit_task() -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org")
        _task(db, owner, factories.conversation(db, owner))


@pytest.mark.usefixtures("emptied")
def test_clocks_at_the_same_time_begin_each_once() -> None:
    _commit_task()
    with unit_of_work() as db:
        (found,) = runs.list_due(db, 5)
    with ThreadPoolExecutor(4) as clocks:
        begun = list(clocks.map(task_runs.begin, [found] * 4))
    assert sorted(begun) == [False, False, False, True]
    with unit_of_work() as db:
        assert len(db.scalars(select(Job)).all()) == 1
        assert len(db.scalars(select(ReminderFiring)).all()) == 1


@pytest.mark.usefixtures("emptied")
def test_those_who_tell_at_once_tell_it_once() -> None:
    _commit_task()
    task_runs.begin_due()
    with unit_of_work() as db:
        accounts.link(db, _job(db).user_id, "telegram", "1", "1", "Grace")
        factories.answer(db, _claimed(db), "Three flights.")
    with ThreadPoolExecutor(4) as clocks:
        told = [clocks.submit(task_runs.tell_over) for _ in range(4)]
    assert sum(one.result() for one in told) == 1
    with unit_of_work() as db:
        firing_id = _firing(db).id
        assert runs.settle(db, firing_id) is None


@pytest.mark.usefixtures("emptied")
@pytest.mark.parametrize("step", ["note_begun", "take"])
def test_a_clock_that_dies_begins_it_once(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _commit_task()
    whole = getattr(runs, step)

    def dying(*args: Any, **kwargs: Any) -> None:
        whole(*args, **kwargs)
        raise _Killed

    with monkeypatch.context() as patched:
        patched.setattr(runs, step, dying)
        with pytest.raises(_Killed):
            task_runs.begin_due()
    assert (task_runs.begin_due(), task_runs.begin_due()) == (1, 0)
    with unit_of_work() as db:
        assert len(db.scalars(select(Job)).all()) == 1


class _Killed(BaseException):
    """What a process that is killed never catches."""
