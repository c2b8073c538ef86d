"""People, conversations and jobs for tests, made by the product's own verbs."""

import threading
from collections.abc import Callable, Collection, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from agent.meter.call_ledger import ClosedCall, Outcome, Usage
from models import jobs, ledger
from models.base import new_id, utc_now
from models.chat import conversations
from models.jobs import FinishedAnswer
from models.ledger import CallCost
from models.people import invitations, users
from models.people.users import Profile
from models.schema.abuse import AccessRule, SubjectKind, Verdict
from models.schema.chat import Conversation
from models.schema.invitations import Invitation
from models.schema.jobs import Job
from models.schema.model_calls import CallStatus
from models.schema.sessions import UserSession
from models.schema.users import User

PASSWORD = "correct horse battery"
MODEL = "demo/demo"
LEASE = timedelta(seconds=30)
SOMEBODY: UUID = new_id()


def user(db: Session, email: str, *, name: str = "Grace", onboarded: bool = True) -> User:
    """A person with the sign-up grant, onboarded unless told otherwise."""
    person = users.sign_up(db, email, PASSWORD)
    if onboarded:
        users.complete_onboarding(
            person, Profile(name, "Europe/Berlin", "Keeping track of my garden")
        )
    db.flush()
    return person


def show_codes(db: Session) -> None:
    """Let all admins who are logged in have shown the code of an app, as they have to."""
    admins = sa.select(User.id).where(User.admin_role.is_not(None))
    shown = sa.update(UserSession).where(UserSession.user_id.in_(admins))
    db.execute(shown.values(two_factor_at=utc_now()))
    db.commit()


def conversation(db: Session, owner: User) -> Conversation:
    return conversations.start(db, owner.id)


def job(db: Session, owner: User, words: str = "Hello?") -> Job:
    """A message in a conversation of its own, waiting for its answer."""
    return jobs.ask(db, conversation(db, owner), words, model=MODEL)


def claim(
    db: Session, worker: UUID = SOMEBODY, *, only: Collection[UUID] | None = None
) -> Job | None:
    """The job that a worker gets who has room for one."""
    claims = jobs.claim_many(db, worker, LEASE, 1, only=only)
    return db.get_one(Job, claims[0].job_id, populate_existing=True) if claims else None


def running(
    db: Session,
    owner: User,
    words: str = "Hello?",
    *,
    worker: UUID = SOMEBODY,
    conversation_id: UUID | None = None,
) -> Job:
    """A job that was asked and claimed, in a new conversation unless one is named.

    Nobody else's may be waiting.
    """
    talk = conversations.find_own(db, owner.id, conversation_id) if conversation_id else None
    asked = jobs.ask(db, talk, words, model=MODEL) if talk else job(db, owner, words)
    claimed = claim(db, worker)
    assert claimed is not None
    assert claimed.id == asked.id
    return claimed


def finished(job: Job, words: str = "Done.", html: str = "") -> FinishedAnswer:
    """What the worker that runs a job would complete it with."""
    return FinishedAnswer(job.id, job.user_id, job.attempt, words, html)


def answer(db: Session, job: Job, words: str = "Done.", html: str = "") -> None:
    """Complete a running job; its worker has saved the files already."""
    done = jobs.complete_many(db, [finished(job, words, html)], SOMEBODY, timedelta(0))
    assert done == {job.id: True}
    db.refresh(job)


def reap_expired(db: Session) -> list[Job]:
    """Take back what silent workers hold; return the jobs."""
    found = [jobs.reap_expired(db, job_id) for job_id in jobs.abandoned(db)]
    return [job for job in found if job is not None]


def open_call(db: Session, job: Job, held: int) -> UUID:
    """Hold so much for a call of this job to the model, and return the call's id."""
    call_id = new_id()
    ledger.open_call(
        db,
        ledger.lock_account(db, job.user_id),
        call_id=call_id,
        job_id=job.id,
        attempt=job.attempt,
        model=MODEL,
        held=held,
    )
    return call_id


def charge(db: Session, job: Job, micros: int) -> UUID:
    """Let a call of this job cost so much, half of which is the provider's; return its id."""
    call_id = open_call(db, job, micros)
    cost = CallCost(1, 1, 0, 0, micros // 2, micros, "test", is_estimated=False)
    ledger.close_call(db, call_id=call_id, status=CallStatus.COMPLETED, cost=cost)
    return call_id


def closed_call(call_id: UUID, micros: int, outcome: Outcome = "completed") -> ClosedCall:
    """A model call that is over and costs so much."""
    return ClosedCall(
        call_id=call_id,
        model=MODEL,
        usage=Usage(100, 100),
        is_estimated=outcome != "completed",
        provider_cost_micros=micros // 2,
        charge_micros=micros,
        price_version="test",
        outcome=outcome,
        provider_request_id=None,
        detail=None,
    )


@contextmanager
def rewriting(db: Session) -> Generator[None]:
    """Change entries of the ledger as the product never may.

    Without a lock of the whole table, for which a test on a busy machine might wait too long.
    """
    db.execute(sa.text("SET LOCAL session_replication_role = replica"))
    yield
    db.flush()
    db.execute(sa.text("SET LOCAL session_replication_role = origin"))


def in_parallel(times: int, action: Callable[[], object]) -> list[BaseException | None]:
    """Run `action` in so many threads that start together; return what each raised."""
    barrier = threading.Barrier(times)

    def _one(_: int) -> BaseException | None:
        barrier.wait()
        try:
            action()
        except Exception as error:  # noqa: BLE001  # it is the result
            return error
        return None

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(_one, range(times)))


def gift(db: Session, user_id: UUID, micros: int, reference: str = "gift") -> None:
    """Grant credits, and resume what waited for them."""
    ledger.grant(db, user_id, micros, reference=reference)
    jobs.resume(db, user_id)


def invitation(
    db: Session, *, uses: int = 1, bonus: int = 0, expires_at: datetime | None = None
) -> Invitation:
    """A code with which so many may come."""
    made = Invitation(
        code=invitations.new_code(),
        label="Friends",
        uses_max=uses,
        bonus_micros=bonus,
        expires_at=expires_at,
    )
    db.add(made)
    db.flush()
    return made


def blocked_domain(db: Session) -> AccessRule:
    """A domain of mail addresses that may not sign up."""
    rule = AccessRule(
        subject_kind=SubjectKind.DOMAIN,
        subject="example.net",
        shown="example.net",
        verdict=Verdict.BLOCK,
        reason="A test.",
    )
    db.add(rule)
    db.flush()
    return rule
