"""The page that a stranger's chat leads to: it connects nothing before its owner says so."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session
from structlog.testing import capture_logs

from models.channels import links
from models.schema.channels import ChannelAccount
from models.schema.users import User
from tests import factories
from tests.channels.loft import Loft
from tests.webapp.browser import Browser


@pytest.fixture
def path(loft: Loft, db: Session) -> str:
    """The address that a stranger was shown in the messenger."""
    secret = links.make_for_outside(db, "pigeon", "bird", "bird", "A <b>Bird</b>")
    db.commit()
    return f"/channels/pigeon/connection/{secret}"


def owners(db: Session) -> list[str]:
    wanted = sa.select(User.email).join(ChannelAccount, ChannelAccount.user_id == User.id)
    return list(db.scalars(wanted))


def test_who_is_logged_in_is_asked_and_connects(
    adas: Browser, ada: User, loft: Loft, path: str, db: Session
) -> None:
    page = adas.get(path)
    assert page.status_code == 200
    assert "Connect Pigeon" in page.text
    assert "A &lt;b&gt;Bird&lt;/b&gt;" in page.text
    assert ada.email in page.text
    assert owners(db) == []

    answer = adas.post(path)
    assert answer.status_code == 303
    assert answer.location == "/settings#channels"
    assert owners(db) == [ada.email]
    assert "Pigeon is connected." in adas.read("/settings")
    assert loft.notices() == ["linked"]


def test_a_link_works_once_and_says_so(
    adas: Browser, eves: Browser, ada: User, path: str, db: Session
) -> None:
    adas.post(path)
    for asked in (adas.get(path), eves.get(path), eves.post(path)):
        assert asked.status_code == 422
        assert "This link was used or has expired." in asked.text
    assert owners(db) == [ada.email]


def test_a_messenger_of_somebody_else_is_not_offered(
    eves: Browser, loft: Loft, ada: User, path: str, db: Session
) -> None:
    loft.link(ada, "bird")
    for asked in (eves.get(path), eves.post(path)):
        assert asked.status_code == 422
        assert "This chat is connected to another account." in asked.text
    assert owners(db) == [ada.email]


def test_a_second_messenger_is_not_offered(
    adas: Browser, loft: Loft, ada: User, path: str, db: Session
) -> None:
    loft.link(ada, "another")
    for asked in (adas.get(path), adas.post(path)):
        assert asked.status_code == 422
        assert "Your account is connected to another chat already." in asked.text


def test_a_stranger_logs_in_and_comes_back(
    browser: Browser, ada: User, path: str, db: Session
) -> None:
    db.commit()
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.location == f"/login?next={path}"
    assert browser.log_in(ada.email, next=path).location == path
    assert browser.get(path).status_code == 200
    # It has led there, and does not do so again.
    assert "connection" not in browser.get("/chat", follow_redirects=True).request.path


def test_a_newcomer_signs_up_introduces_themselves_and_comes_back(
    browser: Browser, path: str, db: Session
) -> None:
    browser.get(path)
    assert browser.sign_up("new@example.org").location == "/onboarding"
    # Opened again before the introduction, it leads there too.
    assert browser.get(path).location == "/onboarding"
    answers = {"name": "Nina", "timezone": "Europe/Berlin", "needs": ""}
    assert browser.post("/onboarding", answers).location == "/chat"
    assert browser.get("/chat").location == path
    assert browser.post(path).status_code == 303
    assert owners(db) == ["new@example.org"]


def test_a_newcomer_by_mail_comes_back_too(
    browser: Browser, path: str, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(SIGN_UP_BY_MAIL="true", VERIFY_EMAIL="true")
    browser.get(path)
    browser.sign_up("new@example.org")
    with browser.client.session_transaction() as kept:
        assert kept["detour"][0] == path


def test_the_secret_is_not_logged(adas: Browser, path: str) -> None:
    secret = path.rpartition("/")[2]
    with capture_logs() as lines:
        adas.get(path)
        adas.post(path)
    paths = [line["path"] for line in lines if line["event"] == "request"]
    assert "/channels/pigeon/connection/…" in paths
    assert secret not in str(lines)


def test_who_logs_out_is_led_nowhere(browser: Browser, ada: User, path: str, db: Session) -> None:
    db.commit()
    browser.get(path)
    browser.log_in(ada.email)
    browser.post("/logout")
    browser.log_in(ada.email)
    assert browser.get("/chat").status_code == 200


@pytest.mark.parametrize("path", ["/channels/telegraph/connection/x", "/channels/x/connection/"])
def test_a_channel_that_is_not_here_has_no_page(adas: Browser, loft: Loft, path: str) -> None:
    assert adas.get(path).status_code == 404


def test_a_code_of_a_user_opens_nothing_here(
    eves: Browser, loft: Loft, ada: User, db: Session
) -> None:
    code = links.make_for_user(db, ada.id, "pigeon")
    db.commit()
    assert eves.post(f"/channels/pigeon/connection/{code}").status_code == 422
    assert owners(db) == []


def test_it_is_no_page_of_anybody_who_was_not_introduced(
    browser: Browser, path: str, db: Session
) -> None:
    factories.user(db, "nina@example.org", onboarded=False)
    db.commit()
    browser.log_in("nina@example.org")
    assert browser.post(path).location == "/onboarding"
    assert owners(db) == []
