"""Users as admins find them and look at them: everything but their words."""

import csv
import io
from collections.abc import Mapping
from urllib.parse import quote
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models import jobs, ledger, payments
from models.base import utc_now
from models.people import sessions
from models.schema.admins import AdminAction
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import FreezeReason
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser

SECRET = "My neighbour has a parrot"
ANSWER = "Parrots are loud"


def page_of(user: User) -> str:
    return f"/admin/people/{user.id}"


def form(**more: str) -> Mapping[str, str]:
    return {"reason": "She wrote to us.", "confirmed": "yes", "key": str(uuid4()), **more}


def logged(db: Session) -> list[AdminAction]:
    return list(db.scalars(sa.select(AdminAction)))


def test_users_are_found_by_all_that_is_known_of_them(
    olgas: Browser, db: Session, ada: User, eve: User
) -> None:
    payments.record_customer(db, ada.id, "cus_ada17")
    db.commit()
    for term in ("ada@exam", "ADA", str(ada.id), "cus_ada17"):
        page = olgas.read(f"/admin/people?q={quote(term)}")
        assert page_of(ada) in page, term
        assert page_of(eve) not in page, term
    assert "Nobody fits that." in olgas.read("/admin/people?q=%25")


def test_a_long_list_comes_in_pages_without_gaps(olgas: Browser, db: Session) -> None:
    made = {factories.user(db, f"p{number}@example.org").id for number in range(60)}
    db.commit()
    for order in ("newest", "oldest", "balance"):
        seen: list[str] = []
        path = f"/admin/people?q=p&sort={order}"
        while path:
            page = olgas.read(path)
            seen += [part[:36] for part in page.split('href="/admin/people/')[1:]]
            following = page.split('rel="next"')[1:]
            path = following[0].split('href="')[1].split('"')[0] if following else ""
        assert len(seen) == len(set(seen)), order
        assert {str(one) for one in made} <= set(seen), order


def test_filters_list_whom_they_say(olgas: Browser, db: Session, ada: User, eve: User) -> None:
    ledger.freeze(ada, FreezeReason.AUDIT)
    eve.sending_suspended_at = utc_now()
    db.commit()
    for name, there, not_there in (("frozen", ada, eve), ("suspended", eve, ada)):
        page = olgas.read(f"/admin/people?filter={name}")
        assert page_of(there) in page
        assert page_of(not_there) not in page
    assert "olga@example.org" in olgas.read("/admin/people?filter=admins")


def test_a_user_is_shown_without_their_words(olgas: Browser, db: Session, ada: User) -> None:
    job = factories.running(db, ada, SECRET)
    factories.charge(db, job, 20_000)
    factories.answer(db, job, ANSWER)
    failed = factories.running(db, ada, SECRET)
    jobs.fail(db, failed, FailureCode.PROVIDER_DOWN)
    db.commit()
    for path in (page_of(ada), "/admin/queue", f"/admin/queue/{job.id}", "/admin", "/admin/log"):
        page = olgas.read(path)
        for words in (SECRET, ANSWER, "Keeping track of my garden"):
            assert words not in page, path
    page = olgas.read(page_of(ada))
    assert "$0.98" in page
    assert "1 failed" in page


def test_support_sees_no_ledger(sams: Browser, vics: Browser, ada: User) -> None:
    assert "Ledger" not in sams.read(page_of(ada))
    assert "Payments" not in sams.read(page_of(ada))
    page = vics.read(page_of(ada))
    assert "Ledger" in page
    assert "Actions" not in page


def test_credits_are_adjusted_once_however_often_the_form_comes(
    olgas: Browser, sams: Browser, db: Session, ada: User
) -> None:
    before, given = ada.credits_balance_micros, form(amount="2.50", direction="give")
    for _ in range(2):
        assert olgas.post(f"{page_of(ada)}/credits", dict(given)).status_code == 303
    db.refresh(ada)
    assert ada.credits_balance_micros == before + 2_500_000
    assert len(logged(db)) == 1
    page = olgas.read(page_of(ada))
    assert "This form was sent before" in page
    assert "Credits adjusted" in page
    assert "balance: $1.00 → $3.50" in page
    # Who sees no money sees that it was done, and why.
    told = sams.read("/admin/log")
    assert "Credits adjusted" in told
    assert "$3.50" not in told

    taken = olgas.post(f"{page_of(ada)}/credits", dict(form(amount="3.50", direction="take")))
    assert taken.status_code == 303
    db.refresh(ada)
    assert ada.credits_balance_micros == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"confirmed": ""}, "tick the box"),
        ({"reason": " "}, "Please say why"),
        ({"amount": "many"}, "above zero"),
        ({"amount": "50", "direction": "take"}, "has $1.00 that can be taken"),
        ({"key": "none"}, "cannot be read"),
        ({"direction": "sideways"}, "cannot be read"),
    ],
)
def test_a_bad_form_is_refused_and_changes_nothing(
    olgas: Browser, db: Session, ada: User, change: dict[str, str], words: str
) -> None:
    before = ada.credits_balance_micros
    refused = olgas.post(
        f"{page_of(ada)}/credits", {**form(amount="1", direction="give"), **change}
    )
    assert refused.status_code == 422
    assert words in refused.text.replace("&#39;", "'")
    db.refresh(ada)
    assert ada.credits_balance_micros == before
    assert logged(db) == []


def test_an_old_form_with_another_amount_is_not_said_to_be_done(
    olgas: Browser, db: Session, ada: User
) -> None:
    before, given = ada.credits_balance_micros, form(amount="1", direction="give")
    olgas.post(f"{page_of(ada)}/credits", dict(given))
    assert "The credits were adjusted." in olgas.read(page_of(ada))
    olgas.post(f"{page_of(ada)}/credits", {**given, "amount": "7"})
    page = olgas.read(page_of(ada))
    assert "This form was sent before" in page
    assert "The credits were adjusted." not in page
    db.refresh(ada)
    assert ada.credits_balance_micros == before + 1_000_000


def test_who_may_not_send_reads_so_and_then_may(
    sams: Browser, adas: Browser, db: Session, ada: User
) -> None:
    suspended = f"{page_of(ada)}/sending"
    assert sams.post(suspended, dict(form(suspended="yes"))).status_code == 303
    refused = adas.post("/chat", {"text": "Hello?"})
    assert "Sending is suspended" in refused.text
    assert db.scalar(sa.select(sa.func.count(Job.id))) == 0
    assert sams.post(suspended, dict(form(suspended="no"))).status_code == 303
    assert adas.post("/chat", {"text": "Hello?"}).status_code == 303
    assert db.scalars(sa.select(Job)).one().status is JobStatus.PENDING


def test_who_may_not_sign_in_is_out_and_stays_out(
    sams: Browser, adas: Browser, browser: Browser, ada: User
) -> None:
    assert adas.get("/settings").status_code == 200
    assert sams.post(f"{page_of(ada)}/sign-in", dict(form(suspended="yes"))).status_code == 303
    assert adas.get("/settings").status_code == 303
    refused = browser.log_in(ada.email)
    assert refused.status_code == 422
    assert "Signing in to this account is suspended" in refused.text
    # Nobody else learns of it.
    guessed = browser.log_in(ada.email, "another horse battery")
    assert "suspended" not in guessed.text
    assert sams.post(f"{page_of(ada)}/sign-in", dict(form(suspended="no"))).status_code == 303
    assert browser.log_in(ada.email).status_code == 303


def test_the_rest_of_what_is_done_to_an_account(
    olgas: Browser, db: Session, ada: User, verifying: None
) -> None:
    sessions.open_for(db, ada, "A phone")
    ledger.freeze(ada, FreezeReason.AUDIT)
    db.commit()
    for path in ("sessions-end", "freeze-end", "verification", "notes"):
        done = olgas.post(f"{page_of(ada)}/{path}", dict(form()))
        assert done.status_code == 303, (path, done.text)
    db.refresh(ada)
    assert not ada.is_frozen
    assert sessions.list_live(db, ada.id) == []
    assert [entry.kind for entry in logged(db)] == [
        "sessions_ended",
        "freeze_lifted",
        "verification_resent",
        "note_added",
    ]
    page = olgas.read("/admin/log")
    assert page.count("She wrote to us.") == 4
    assert olgas.read("/admin/log?kind=note_added").count("She wrote to us.") == 1


def test_the_log_is_searched_and_handed_out(
    olgas: Browser, sams: Browser, db: Session, ada: User, eve: User
) -> None:
    for user, why in ((ada, "She wrote to us."), (eve, "=A trial, 100%")):
        assert sams.post(f"{page_of(user)}/notes", {**form(), "reason": why}).status_code == 303
    for term, found, other in (
        ("wrote", "She wrote", "A trial"),
        ("100%", "A trial", "She wrote"),
        ("EVE@example.org", "A trial", "She wrote"),
        (str(ada.id), "She wrote", "A trial"),
    ):
        page = olgas.read(f"/admin/log?q={quote(term)}")
        assert found in page, term
        assert other not in page, term
    assert "sam@example.org" in olgas.read("/admin/log?q=sam%40")
    assert "No entry fits that." in olgas.read("/admin/log?q=nothing")
    rows = list(csv.DictReader(io.StringIO(olgas.get("/admin/log.csv?q=trial").text)))
    assert [(one["admin"], one["action"], one["user_id"]) for one in rows] == [
        ("sam@example.org", "note_added", str(eve.id))
    ]
    assert rows[0]["reason"] == "'=A trial, 100%"
    assert len(olgas.get("/admin/log.csv").text.splitlines()) == 3
    assert sams.get("/admin/log.csv").status_code == 403


def test_nobody_who_is_not_there_is_shown(olgas: Browser) -> None:
    for answer in (
        olgas.get(f"/admin/people/{uuid4()}"),
        olgas.post(f"/admin/people/{uuid4()}/notes", dict(form())),
    ):
        assert answer.status_code == 404
