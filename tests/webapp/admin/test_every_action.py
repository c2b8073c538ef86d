"""Every action of admins: logged with before and after, once under its key, to its roles alone.

The actions are the forms that the site has and the kinds that the log knows, so a new one is among
them by itself, and fails here until it is described.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from actions import wakeups
from models import jobs, ledger
from models.base import new_id, utc_now
from models.ops import workers
from models.people import account_deletion, sessions, users, waiting_list
from models.people.admin_roles import Permission
from models.schema.admins import AdminAction, AdminActionKind
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import FreezeReason
from models.schema.pending_adjustments import PendingAdjustment
from models.schema.users import User
from tests import factories
from tests.models.ops.test_account_orders import saved
from tests.payments import bought
from tests.webapp.browser import Browser
from webapp.admin import access

# Nothing of the account is otherwise by these: a note is kept, a mail is sent.
WITHOUT_CHANGE = {AdminActionKind.NOTE_ADDED, AdminActionKind.VERIFICATION_RESENT}
Prepared = tuple[Mapping[str, object], Mapping[str, str]]


@dataclass(frozen=True)
class Case:
    """A form of admins: its endpoint, what it does, and what has to be there for it.

    `prepare` returns what its address names, and what the form has beside reason, word and key.
    """

    kind: AdminActionKind
    endpoint: str
    prepare: Callable[[Session, User], Prepared]
    fields: Mapping[str, str] = field(default_factory=dict[str, str])


def on_user(_db: Session, user: User) -> Prepared:
    return {"user_id": user.id}, {}


def nothing(_db: Session, _user: User) -> Prepared:
    return {}, {}


def unverified(_db: Session, user: User) -> Prepared:
    user.email_verified_at = None
    return {"user_id": user.id}, {}


def logged_in(db: Session, user: User) -> Prepared:
    sessions.open_for(db, user, "A phone")
    return {"user_id": user.id}, {}


def suspended(_db: Session, user: User) -> Prepared:
    user.sending_suspended_at = user.sign_in_suspended_at = utc_now()
    return {"user_id": user.id}, {}


def frozen(_db: Session, user: User) -> Prepared:
    ledger.freeze(user, FreezeReason.AUDIT)
    return {"user_id": user.id}, {}


def limited(_db: Session, user: User) -> Prepared:
    user.day_limit_micros = 5_000_000
    return {"user_id": user.id}, {}


def celled(db: Session, user: User) -> Prepared:
    users.set_affinity(user, workers.register(db, new_id(), "here").id, utc_now())
    return {"user_id": user.id}, {}


def with_files(db: Session, user: User) -> Prepared:
    return {"user_id": user.id}, {"snapshot": str(saved(db, user, 2)[0].id)}


def leaving(db: Session, user: User) -> Prepared:
    account_deletion.order(db, user)
    return {"user_id": user.id}, {}


def paid(db: Session, user: User) -> Prepared:
    return {"payment_id": bought(db, user).id}, {}


def asked_for(db: Session, user: User) -> Prepared:
    asked = PendingAdjustment(
        user_id=user.id,
        amount_micros=200_000_000,
        reason="x",
        asked_by_id=new_id(),
        asked_by_email="omar@example.org",
        expires_at=utc_now() + timedelta(days=1),
    )
    db.add(asked)
    db.flush()
    return {"adjustment_id": asked.id}, {}


def waiting_job(db: Session, user: User) -> Prepared:
    return {"job_id": factories.job(db, user).id}, {}


def failed_job(db: Session, user: User) -> Prepared:
    job = factories.running(db, user)
    jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
    return {"job_id": job.id}, {}


def one_waiting(db: Session, user: User) -> Prepared:
    factories.job(db, user)
    return {}, {"before": str(new_id()), "shown": "1"}


def one_failed(db: Session, user: User) -> Prepared:
    failed_job(db, user)
    return {}, {"before": str(new_id()), "shown": "1"}


def at_work(db: Session, _user: User) -> Prepared:
    return {"worker_id": workers.register(db, new_id(), "here").id}, {}


def invitation(db: Session, _user: User) -> Prepared:
    return {"invitation_id": factories.invitation(db).id}, {}


def somebody_waits(db: Session, _user: User) -> Prepared:
    waiting_list.join(db, "wilma@example.org")
    return {}, {}


def blocked(db: Session, _user: User) -> Prepared:
    return {"rule_id": factories.blocked_domain(db).id}, {}


def sure(_db: Session, _user: User) -> Prepared:
    return {}, {"version": "0", "sign_up": "closed"}


Kind = AdminActionKind
PEOPLE, ORDERS, MONEY = "admin_user_actions", "admin_account_orders", "admin_money_orders"
INVITATIONS, ABUSE = "admin_invitations", "admin_abuse"
GIVE = {"amount": "2", "direction": "give"}
DOMAIN = {"kind": "domain", "subject": "example.com", "verdict": "block"}
CASES: Sequence[Case] = (
    Case(Kind.CREDITS_ADJUSTED, f"{PEOPLE}.adjust_credits", on_user, GIVE),
    Case(Kind.ADJUSTMENT_ASKED, f"{PEOPLE}.adjust_credits", on_user, {**GIVE, "amount": "200"}),
    Case(Kind.FREEZE_LIFTED, f"{PEOPLE}.lift_freeze", frozen),
    Case(Kind.FREEZE_LIFTED, "admin_books.unfreeze", frozen),
    Case(Kind.SENDING_SUSPENDED, f"{PEOPLE}.suspend_sending", on_user, {"suspended": "yes"}),
    Case(Kind.SENDING_RESUMED, f"{PEOPLE}.suspend_sending", suspended),
    Case(Kind.SIGN_IN_SUSPENDED, f"{PEOPLE}.suspend_sign_in", on_user, {"suspended": "yes"}),
    Case(Kind.SIGN_IN_RESUMED, f"{PEOPLE}.suspend_sign_in", suspended),
    Case(Kind.SESSIONS_ENDED, f"{PEOPLE}.end_sessions", logged_in),
    Case(Kind.VERIFICATION_RESENT, f"{PEOPLE}.resend_verification", unverified),
    Case(Kind.NOTE_ADDED, f"{PEOPLE}.add_note", on_user),
    Case(Kind.LIMITS_RESET, f"{ORDERS}.reset_limits", limited),
    Case(Kind.CELL_DESTROYED, f"{ORDERS}.end_cell", celled),
    Case(Kind.SNAPSHOT_RESTORED, f"{ORDERS}.restore_snapshot", with_files),
    Case(Kind.DELETION_ORDERED, f"{ORDERS}.order_deletion", on_user),
    Case(Kind.DELETION_UNDONE, f"{ORDERS}.undo_deletion", leaving),
    Case(Kind.REFUND_ORDERED, f"{MONEY}.refund", paid, {"amount": "2.50"}),
    Case(Kind.ADJUSTMENT_APPROVED, f"{MONEY}.decide", asked_for, {"decision": "approve"}),
    Case(Kind.ADJUSTMENT_REFUSED, f"{MONEY}.decide", asked_for),
    Case(Kind.JOB_CANCELLED, "admin_queue.stop", waiting_job),
    Case(Kind.JOB_RETRIED, "admin_queue.retry", failed_job),
    Case(Kind.JOBS_CANCELLED, "admin_bulk.place", one_waiting, {"kind": "cancel"}),
    Case(Kind.JOBS_RETRIED, "admin_bulk.place", one_failed, {"kind": "retry"}),
    Case(Kind.CLAIMING_PAUSED, "admin_pauses.pause", nothing, {"scope": "all:"}),
    Case(Kind.WORKER_DRAINED, "admin_workers.drain", at_work),
    Case(Kind.SWITCHES_CHANGED, "admin_switches.change", sure),
    Case(Kind.INVITATION_MADE, f"{INVITATIONS}.make", nothing, {"label": "Friends", "uses": "3"}),
    Case(Kind.INVITATION_ENDED, f"{INVITATIONS}.end", invitation),
    Case(Kind.WAITING_INVITED, f"{INVITATIONS}.invite_waiting", somebody_waits, {"count": "1"}),
    Case(Kind.RULE_SET, f"{ABUSE}.set_rule", nothing, DOMAIN),
    Case(Kind.RULE_ENDED, f"{ABUSE}.end_rule", blocked),
)
# It ends what another form began, so it has a test of its own.
RESUME = "admin_pauses.resume"


@pytest.fixture(autouse=True)
def quiet(verifying: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Addresses are to be verified, and no worker is told of what is ordered."""
    for name in ("refund", "bulk"):
        monkeypatch.setattr(wakeups, name, _tells_nobody)


@pytest.fixture
def nina(db: Session) -> User:
    """Has credits to spend."""
    person = factories.user(db, "nina@example.org", name="Nina")
    person.email_verified_at = utc_now()
    factories.gift(db, person.id, 1_000_000)
    db.commit()
    return person


@dataclass(frozen=True)
class Form:
    path: str
    fields: Mapping[str, str]


def form_of(case: Case, app: Flask, db: Session, user: User) -> Form:
    named, more = case.prepare(db, user)
    db.commit()
    path = app.url_map.bind("localhost").build(case.endpoint, dict(named))
    sure_of_it = {"reason": "She wrote to us.", "confirmed": "yes", "key": str(uuid4())}
    return Form(path, {**sure_of_it, **case.fields, **more})


def _tells_nobody(_order_id: UUID) -> None:
    """No worker is there."""


def entries(db: Session) -> list[AdminAction]:
    db.expire_all()
    return list(db.scalars(sa.select(AdminAction).order_by(AdminAction.id)))


def _anybody_may(_person: User, _permission: Permission) -> bool:
    return True


def named(case: Case) -> str:
    return f"{case.kind}-{case.endpoint.split('.')[0]}"


def test_every_form_and_every_kind_of_the_log_is_described(app: Flask) -> None:
    forms = {
        str(rule.endpoint)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin/") and "POST" in (rule.methods or set())
    }
    assert forms == {case.endpoint for case in CASES} | {RESUME}
    assert set(AdminActionKind) == {case.kind for case in CASES} | {Kind.CLAIMING_RESUMED}


@pytest.mark.parametrize("case", CASES, ids=named)
def test_it_is_done_once_and_logged_with_before_and_after(
    app: Flask, olgas: Browser, db: Session, nina: User, case: Case
) -> None:
    form = form_of(case, app, db, nina)
    assert olgas.post(form.path, dict(form.fields)).status_code == 303
    (entry,) = entries(db)
    assert (entry.kind, entry.admin_email, entry.key) == (
        case.kind,
        "olga@example.org",
        UUID(form.fields["key"]),
    )
    assert entry.reason
    if case.kind not in WITHOUT_CHANGE:
        assert entry.before, "what was before"
        assert entry.after, "what is after"
        assert entry.before != entry.after
    balance = nina.credits_balance_micros
    jobs_before = db.scalar(sa.select(sa.func.count(Job.id)))
    # A double click, and much later a replay, get the same answer and do nothing.
    assert olgas.post(form.path, dict(form.fields)).status_code == 303
    assert [one.id for one in entries(db)] == [entry.id]
    assert nina.credits_balance_micros == balance
    assert db.scalar(sa.select(sa.func.count(Job.id))) == jobs_before


@pytest.mark.parametrize("case", CASES, ids=named)
def test_without_a_reason_a_word_or_a_key_nothing_is_done(
    app: Flask, olgas: Browser, db: Session, nina: User, case: Case
) -> None:
    form = form_of(case, app, db, nina)
    for missing in ("key", "confirmed", "reason"):
        if (case.endpoint, missing) == ("admin_books.unfreeze", "reason"):
            # The audit found nothing any more: that is the reason.
            continue
        answer = olgas.post(form.path, {**form.fields, missing: ""})
        assert answer.status_code == 422, missing
    assert entries(db) == []


@pytest.mark.parametrize("case", CASES, ids=named)
def test_the_verb_itself_refuses_who_may_only_look(
    app: Flask,
    vics: Browser,
    db: Session,
    nina: User,
    case: Case,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    form = form_of(case, app, db, nina)
    assert vics.post(form.path, dict(form.fields)).status_code == 403
    # As if the page had forgotten to ask.
    monkeypatch.setattr(access, "may", _anybody_may)
    refused = vics.post(form.path, dict(form.fields))
    assert refused.status_code == 422
    assert "Your role does not allow this" in refused.text
    assert entries(db) == []


def test_what_was_paused_is_resumed_once(olgas: Browser, db: Session) -> None:
    for path, kind in (
        ("/admin/queue/pauses", Kind.CLAIMING_PAUSED),
        ("/admin/queue/pauses/end", Kind.CLAIMING_RESUMED),
    ):
        form = {"reason": "x", "confirmed": "yes", "key": str(uuid4()), "scope": "all:"}
        for _ in range(2):
            assert olgas.post(path, form).status_code == 303
        assert entries(db)[-1].kind is kind
        assert entries(db)[-1].before != entries(db)[-1].after
    assert len(entries(db)) == 2
