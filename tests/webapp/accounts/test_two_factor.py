"""The second step of signing in, and the pages on which it is set up."""

import re
from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from models import ledger
from models.people import sessions, totp, two_factor, users
from models.schema.admins import AdminRole
from models.schema.users import User
from tests import factories
from tests.models.people.test_two_factor import secret_of, shown, switched_on
from tests.webapp.browser import Browser

CODE = re.compile(r"<li>([a-z0-9-]{14})</li>")


@pytest.fixture
def codes(db: Session, ada: User) -> list[str]:
    """Ada has two-factor sign-in; these are her recovery codes."""
    return switched_on(db, ada)


def test_it_is_set_up_by_its_pages(adas: Browser, ada: User, db: Session) -> None:
    assert adas.post("/settings/two-factor", {"two-factor-password": "wrong"}).status_code == 422
    adas.post("/settings/two-factor", {"two-factor-password": factories.PASSWORD})
    page = adas.read("/settings/two-factor")
    secret = secret_of(db, ada)
    assert totp.typed(secret) in page
    assert "<svg" in page
    assert adas.post("/settings/two-factor/code", {"code": "000000"}).status_code == 422
    answer = adas.post("/settings/two-factor/code", {"code": shown(db, ada)})
    assert len(CODE.findall(answer.text)) == two_factor.RECOVERY_CODES
    assert answer.headers["Cache-Control"] == "no-store"
    assert totp.typed(secret) not in adas.read("/settings/two-factor")


def test_a_password_alone_opens_nothing_then(
    browser: Browser, ada: User, codes: list[str], db: Session
) -> None:
    answer = browser.log_in(ada.email, next="/usage")
    assert answer.location == "/login/code?next=/usage"
    for path in ("/chat", "/settings", "/usage", "/settings/two-factor"):
        assert browser.get(path).location == f"/login/code?next={path}"
    assert len(sessions.list_live(db, ada.id)) == 1
    assert browser.post("/login/code", {"code": "000000"}).status_code == 422
    answer = browser.post("/login/code", {"code": shown(db, ada), "next": "/usage"})
    assert answer.location == "/usage"
    assert browser.get("/usage").status_code == 200


def test_a_recovery_code_does_too_and_another_browser_is_not_let_in_by_the_same(
    browser: Browser, ada: User, codes: list[str], log_in: Callable[[User], Browser]
) -> None:
    browser.log_in(ada.email)
    assert browser.post("/login/code", {"code": codes[0]}).location == "/chat"
    thief = log_in(ada)
    assert thief.post("/login/code", {"code": codes[0]}).status_code == 422
    assert thief.get("/settings").location == "/login/code?next=/settings"


def test_wrong_codes_count_although_they_are_refused(
    browser: Browser, ada: User, codes: list[str], db: Session
) -> None:
    browser.log_in(ada.email)
    for _ in range(two_factor.MOST_WRONG):
        assert browser.post("/login/code", {"code": "000000"}).status_code == 422
    assert browser.post("/login/code", {"code": shown(db, ada)}).status_code == 422


def test_what_logs_out_everywhere_ends_a_login_that_lacks_its_code(
    browser: Browser, ada: User, codes: list[str], db: Session
) -> None:
    browser.log_in(ada.email)
    sessions.revoke_others(db, ada.id, keep=None)
    db.commit()
    answer = browser.post("/login/code", {"code": shown(db, ada)})
    assert answer.location == "/login"
    assert browser.get("/settings").location == "/login?next=/settings"


def test_a_code_that_comes_after_such_a_log_out_opens_nothing(
    browser: Browser,
    ada: User,
    codes: list[str],
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where that happens between the look at what waits and the lock."""
    browser.log_in(ada.email)
    lock = ledger.lock_account

    def _lock(site: Session, user_id: UUID) -> User:
        sessions.revoke_others(site, user_id, keep=None)
        return lock(site, user_id)

    monkeypatch.setattr(ledger, "lock_account", _lock)
    answer = browser.post("/login/code", {"code": shown(db, ada)})
    assert answer.location == "/login"
    assert sessions.list_live(db, ada.id) == []


def test_switching_it_off_needs_a_code(
    browser: Browser, ada: User, codes: list[str], db: Session
) -> None:
    browser.log_in(ada.email)
    browser.post("/login/code", {"code": codes[0]})
    assert browser.post("/settings/two-factor/removal", {"code": "1"}).status_code == 422
    assert two_factor.is_on(db, ada.id)
    browser.post("/settings/two-factor/removal", {"code": codes[1]})
    assert not two_factor.is_on(db, ada.id)
    assert browser.log_in(ada.email).location == "/chat"


@pytest.mark.parametrize("role", list(AdminRole))
def test_no_admin_gets_in_without_it(
    browser: Browser, ada: User, db: Session, role: AdminRole
) -> None:
    users.set_admin_role(ada, role)
    db.commit()
    browser.log_in(ada.email)
    for path in ("/admin", "/admin/people", f"/admin/people/{ada.id}"):
        assert browser.get(path).location == "/settings/two-factor?admin=yes"
        assert browser.post(path).status_code in {303, 404}
    browser.post("/settings/two-factor", {"two-factor-password": factories.PASSWORD})
    browser.post("/settings/two-factor/code", {"code": shown(db, ada)})
    assert browser.get("/admin").status_code == 200
