"""The books as admins see them; for everybody else there is nothing.

Grace is an admin.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import stripe_events, wakeups
from actions.sentences.free_credit import for_admins
from gateways.live_events import JobResumed
from models import ledger, payments
from models.base import new_id, utc_now
from models.ledger import freezes
from models.ops.admin_reports import MOST
from models.people import users
from models.schema.admins import AdminRole
from models.schema.audits import AuditFinding, Books
from models.schema.failure_codes import FailureCode
from models.schema.free_credit import FreeCreditRefusal, RefusalReason
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import FreezeReason
from models.schema.users import User
from settings import get_settings
from tasks import audits
from tests import factories
from tests.models.ledger.test_freezes import put_off_by
from tests.models.ledger.test_write_offs import failed
from tests.models.ops.test_admin_reports import refused
from tests.payments import TEN, notice, spend
from tests.webapp.browser import Browser

PAGE = "/admin/books"


@pytest.fixture
def grace(db: Session) -> User:
    """Is an admin."""
    person = factories.user(db, "grace@example.org")
    users.set_admin_role(person, AdminRole.OWNER)
    db.commit()
    return person


@pytest.fixture
def graces(grace: User, log_in: Callable[[User], Browser]) -> Browser:
    """Grace's browser, logged in."""
    return log_in(grace)


def form(**given: str) -> dict[str, str]:
    return {"confirmed": "yes", "key": str(new_id()), **given}


def unfreezing(user: User) -> str:
    return f"/admin/accounts/{user.id}/unfreezing"


def freeze(db: Session, user: User, reason: FreezeReason = FreezeReason.AUDIT) -> None:
    ledger.freeze(user, reason)
    db.commit()


def assert_nothing_is_there(browser: Browser, db: Session, ada: User) -> None:
    """Neither a page nor a verb, whether it is asked for well or badly."""
    for path in (PAGE, unfreezing(ada), "/admin/nothing"):
        for answer in (
            browser.get(path),
            browser.client.head(path),
            browser.client.options(path),
            browser.client.delete(path),
            browser.client.post(path),
            browser.post(path),
            browser.post(path, {"reason": "Because."}),
            browser.post_part(path),
        ):
            assert (answer.status_code, answer.location) == (404, None), path
            assert "Allow" not in answer.headers
    here, nowhere = browser.get(PAGE), browser.get("/nowhere")
    assert set(here.headers.keys()) == set(nowhere.headers.keys())
    # The site would send on who types a slash too many.
    slashes = browser.get("/", environ_overrides={"PATH_INFO": f"/{PAGE}"})
    assert slashes.status_code == 404
    db.refresh(ada)
    assert ada.is_frozen


def test_for_strangers_there_is_nothing(browser: Browser, db: Session, ada: User) -> None:
    freeze(db, ada)
    assert_nothing_is_there(browser, db, ada)


def test_for_people_who_are_no_admins_there_is_nothing(
    adas: Browser, eves: Browser, db: Session, ada: User
) -> None:
    freeze(db, ada)
    for browser in (eves, adas):
        assert_nothing_is_there(browser, db, ada)
        assert PAGE not in browser.read("/settings")


def test_for_who_is_no_admin_any_more_there_is_nothing(
    graces: Browser, grace: User, db: Session, ada: User
) -> None:
    freeze(db, ada)
    assert graces.get(PAGE).status_code == 200
    users.set_admin_role(grace, None)
    db.commit()
    assert_nothing_is_there(graces, db, ada)


def test_admins_are_led_there_by_the_menu(
    graces: Browser, adas: Browser, grace: User, ada: User, db: Session
) -> None:
    link = 'href="/admin"'
    assert link in graces.read("/settings")
    kept = adas.get("/chat/new").headers["ETag"]
    assert link not in adas.read("/chat/new")
    users.set_admin_role(ada, AdminRole.OWNER)
    db.commit()
    again = adas.get("/chat/new", headers={"If-None-Match": kept})
    assert again.status_code == 200
    assert link in again.text


@pytest.mark.parametrize("path", ["/settings/profile", "/onboarding", "/limits"])
def test_no_form_makes_an_admin(adas: Browser, ada: User, db: Session, path: str) -> None:
    form = {"name": "Ada", "timezone": "Asia/Tokyo", "needs": "", "is_admin": "true"}
    assert adas.post(path, form).status_code == 303
    db.refresh(ada)
    assert not ada.is_admin


def test_nobody_signs_up_as_an_admin(browser: Browser, db: Session) -> None:
    form = {"email": "new@example.org", "password": factories.PASSWORD, "is_admin": "true"}
    assert browser.post("/signup", form).status_code == 303
    assert not db.scalars(sa.select(User).where(User.email == "new@example.org")).one().is_admin


def test_while_all_is_well_it_says_so(graces: Browser, db: Session) -> None:
    assert "No audit has looked yet." in graces.read(PAGE)
    audits.audit()
    page = graces.read(PAGE)

    assert "The books balance." in page
    assert "just now" in page
    assert "Stripe’s books were compared" not in page
    for words in ("Nothing that is wrong.", "Nobody is frozen.", "None. What", "None lately."):
        assert words in page
    ledger.note_run(db, Books.STRIPE, utc_now())
    db.commit()
    assert "Stripe’s books were compared" in graces.read(PAGE)


def test_an_audit_that_is_late_is_no_proof(graces: Browser, db: Session) -> None:
    late = timedelta(seconds=2 * get_settings().audit_seconds + 60)
    ledger.note_run(db, Books.LEDGER, utc_now() - late)
    db.commit()
    page = graces.read(PAGE)

    assert "The books balanced when an audit last looked." in page
    assert "is the clock running?" in page
    assert "The books balance." not in page


def test_a_finding_is_shown_with_whose_it_is_and_when_in_the_admins_zone(
    graces: Browser, ada: User, db: Session
) -> None:
    put_off_by(db, ada, 1_234_567)
    finding = db.scalars(sa.select(AuditFinding)).one()
    finding.created_at = datetime(2026, 3, 3, 23, 30, tzinfo=UTC)
    db.commit()
    page = graces.read(PAGE)

    assert "The books do not balance: 1 finding." in page
    assert "Broken: the balance is the sum of the entries" in page
    assert ada.email in page
    assert str(ada.id) in page
    assert "off by +1,234,567 micros ($1.23)" in page
    assert "4 March 2026, 00:30" in page
    assert "Right again" not in page

    put_off_by(db, ada, -1_234_567)
    page = graces.read(PAGE)
    assert "The books balance." in page
    assert "Right again within the last 30 days (1)" in page
    assert "Mended: the balance is the sum of the entries" in page


def test_what_people_wrote_is_not_shown(graces: Browser, ada: User, db: Session) -> None:
    factories.job(db, ada, "My secret garden")
    put_off_by(db, ada, 1)
    page = graces.read(PAGE)
    for words in ("My secret garden", ada.needs):
        assert words not in page


def test_events_that_were_set_aside_are_shown(graces: Browser, ada: User, db: Session) -> None:
    payment = payments.begin(db, ada.id, TEN)
    db.commit()
    wrong = notice(payment, "paid", currency="jpy")
    stripe_events.take_in(wrong)
    page = graces.read(PAGE)

    assert f"payment {payment.id}: {TEN} micros of jpy" in page
    assert wrong.event_id in page
    assert ada.email in page


def test_charges_beyond_the_cap_and_what_we_carry_are_shown(
    graces: Browser, ada: User, db: Session, adjust: Callable[..., None]
) -> None:
    page = graces.read(PAGE)
    assert "Nobody was charged for what failed." in page
    assert "Nothing was at our expense" in page
    adjust(ABSORBED_DAILY_LIMIT_MICROS="100000")
    failed(db, ada, 200_000)
    failed(db, ada, 300_000, code=FailureCode.WORKER_LOST)
    db.commit()

    page = " ".join(graces.read(PAGE).split())

    assert "Charged although no answer came" in page
    assert "workers lost $0.30" in page
    assert "our failures $0.10" in page
    assert page.count(f"{ada.id}</span>") == 2


@pytest.mark.parametrize("reason", RefusalReason)
def test_a_refused_free_credit_is_explained(
    graces: Browser, ada: User, db: Session, reason: RefusalReason
) -> None:
    refused(db, ada, reason)
    db.commit()
    page = graces.read(PAGE)
    assert for_admins(reason) in page
    assert ada.email in page


def test_a_long_list_says_that_it_is_cut(graces: Browser, db: Session) -> None:
    db.add_all(
        FreeCreditRefusal(reason=RefusalReason.CLAIMED, mailbox_hash="hash")
        for _ in range(MOST + 1)
    )
    db.commit()
    page = graces.read(PAGE)
    assert page.count("An account that is gone") == MOST
    assert f"Only the newest {MOST} are shown." in page


def test_an_admin_ends_a_freeze_and_what_waited_goes_on(
    graces: Browser, grace: User, ada: User, db: Session
) -> None:
    spend(db, ada, ada.credits_balance_micros)
    waiting = factories.job(db, ada)
    payment = payments.begin(db, ada.id, TEN)
    freeze(db, ada, FreezeReason.AUDIT)
    stripe_events.take_in(notice(payment, "paid"))
    assert waiting.status is JobStatus.PAUSED
    page = graces.read(PAGE)
    assert FreezeReason.AUDIT in page
    assert f'action="{unfreezing(ada)}"' in page

    assert graces.post(unfreezing(ada), form()).location == f"{PAGE}#frozen"

    page = graces.read(PAGE)
    assert f"{ada.email} may spend again. Messages that waited and go on: 1." in page
    assert "Nobody is frozen." in page
    (ended,) = freezes.list_ended(db, ada.id)
    assert (ended.admin_id, ended.forced_because) == (grace.id, None)
    assert db.get_one(Job, waiting.id, populate_existing=True).status is JobStatus.PENDING
    told = wakeups.streams().read(waiting.id, after="0")
    assert [event.payload for event in told] == [JobResumed()]


def test_while_the_audit_finds_something_only_a_reason_ends_it(
    graces: Browser, grace: User, ada: User, db: Session
) -> None:
    put_off_by(db, ada, 1)

    plain = graces.post(unfreezing(ada), form())
    assert plain.status_code == 422
    assert "The audit still finds something here." in plain.text
    for nothing in ("", "  "):
        empty = graces.post(unfreezing(ada), form(reason=nothing))
        assert empty.status_code == 422
        assert "Please say why" in empty.text
    db.refresh(ada)
    assert ada.is_frozen

    assert graces.post(unfreezing(ada), form(reason=" Our own test. ")).status_code == 303
    db.refresh(ada)
    assert not ada.is_frozen
    (ended,) = freezes.list_ended(db, ada.id)
    assert (ended.admin_id, ended.forced_because) == (grace.id, "Our own test.")


def test_who_is_not_frozen_or_not_there_is_said_to_be_so(graces: Browser, ada: User) -> None:
    for path, words in (
        (unfreezing(ada), "This account is not frozen."),
        (f"/admin/accounts/{new_id()}/unfreezing", "There is no account of this address or id."),
    ):
        answer = graces.post(path, form())
        assert answer.status_code == 422
        assert words in answer.text
        assert answer.text.count('id="refusal"') == 1


def test_nobody_ends_the_freeze_of_their_own_account(
    graces: Browser, grace: User, db: Session
) -> None:
    freeze(db, grace)
    page = graces.read(PAGE)
    assert "This account is your own." in page
    assert unfreezing(grace) not in page

    for given in (form(), form(reason="I say so.")):
        answer = graces.post(unfreezing(grace), given)
        assert answer.status_code == 422
        assert "This account is your own." in answer.text
    db.refresh(grace)
    assert grace.is_frozen


def test_without_its_token_a_form_of_an_admin_is_refused(
    graces: Browser, ada: User, db: Session
) -> None:
    freeze(db, ada)
    assert graces.client.post(unfreezing(ada)).status_code == 400
    db.refresh(ada)
    assert ada.is_frozen
