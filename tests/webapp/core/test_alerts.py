"""Alerts on the pages."""

from collections.abc import Callable
from html import unescape

import pytest
from sqlalchemy.orm import Session

from models import ledger
from models.ledger import alerts, limits
from models.ledger.limits import Limits
from models.schema.alerts import Alert
from models.schema.failure_codes import FailureCode
from models.schema.users import User
from tests import factories
from tests.models.ledger.test_entries import closed
from tests.models.ledger.test_write_offs import failed
from tests.webapp.browser import Browser


@pytest.fixture
def alert(db: Session, ada: User) -> Alert:
    """Ada has spent half of what she allows a day."""
    limits.choose(db, ada.id, Limits(day_micros=200_000))
    job = factories.running(db, ada)
    closed(db, job, 100_000)
    factories.answer(db, job)
    [raised] = alerts.raise_due(db, ada.id)
    db.commit()
    return raised


@pytest.mark.parametrize("path", ["/chat/new", "/limits"])
def test_an_alert_is_shown_until_it_is_dismissed(adas: Browser, alert: Alert, path: str) -> None:
    words = "Half of your limit for today ($0.20) is spent."
    assert words in adas.read(path)
    assert adas.post(f"/alerts/{alert.id}/dismissal").status_code == 303
    assert words not in adas.read(path)


def test_htmx_gets_the_alerts_that_are_left(adas: Browser, alert: Alert) -> None:
    left = adas.post_part(f"/alerts/{alert.id}/dismissal")
    assert left.status_code == 200
    assert 'id="alerts"' in left.text
    assert "Half" not in left.text


def test_a_page_that_a_browser_kept_is_not_shown_without_a_new_alert(
    adas: Browser, ada: User, db: Session
) -> None:
    tag = adas.get("/chat/new").headers["ETag"]
    assert adas.get("/chat/new", headers={"If-None-Match": tag}).status_code == 304
    limits.choose(db, ada.id, Limits(day_micros=10_000))
    assert alerts.raise_reached(db, ada.id, FailureCode.DAY_LIMIT)
    db.commit()
    again = adas.get("/chat/new", headers={"If-None-Match": tag})
    assert again.status_code == 200
    assert "Too little is left of your limit for today ($0.01)" in unescape(again.text)


def test_a_low_balance_leads_to_a_top_up_and_is_gone_after_it(
    adas: Browser, ada: User, db: Session
) -> None:
    job = factories.running(db, ada)
    closed(db, job, 900_000, held=900_000)
    factories.answer(db, job)
    assert alerts.raise_due(db, ada.id)
    db.commit()
    words = "Your credits have fallen below $0.20."
    page = adas.read("/chat/new")
    assert words in page
    assert 'href="/billing#top-up">Top up</a>' in page
    ledger.grant(db, ada.id, 5_000_000, reference="bought:1")
    db.commit()
    assert words not in adas.read("/chat/new")


def test_who_is_charged_for_what_failed_is_told_whom_to_write_to(
    adas: Browser, ada: User, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS="0")
    failed(db, ada, 70_000)
    assert alerts.raise_absorbed(db, ada.id)
    db.commit()
    page = adas.read("/chat/new")
    assert "Too much failed today for us to give all of it back." in page
    assert 'href="mailto:hello@localhost"' in page


def test_nobody_sees_or_dismisses_the_alerts_of_others(
    adas: Browser, eves: Browser, alert: Alert
) -> None:
    assert "Half of your limit" not in eves.read("/limits")
    assert eves.post(f"/alerts/{alert.id}/dismissal").status_code == 404
    assert "Half of your limit" in adas.read("/limits")
