"""A person's own settings."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from agent import catalogue
from models.base import new_id
from models.people import sessions
from models.schema.users import User
from settings import Settings
from tests.webapp.browser import Browser


def test_the_profile_can_be_edited(adas: Browser, ada: User, db: Session) -> None:
    form = {"name": "Ada L.", "timezone": "Asia/Tokyo", "needs": "Engines"}
    assert adas.post("/settings/profile", form).location == "/settings#profile"
    page = adas.read("/settings")
    assert "Saved. Your assistant knows" in page
    assert 'value="Ada L."' in page
    db.refresh(ada)
    assert (ada.name, ada.timezone, ada.needs) == ("Ada L.", "Asia/Tokyo", "Engines")


def test_a_refused_profile_changes_nothing(adas: Browser, ada: User, db: Session) -> None:
    answer = adas.post("/settings/profile", {"name": " ", "timezone": "UTC", "needs": "Engines"})
    assert answer.status_code == 422
    assert "fill in your name" in answer.text
    assert ">Engines</textarea>" in answer.text
    db.refresh(ada)
    assert ada.name == "Ada"


def test_a_model_is_chosen_from_the_list(
    adas: Browser, ada: User, db: Session, settings: Settings
) -> None:
    offered = catalogue.models(settings)[-1]
    answer = adas.post("/settings/model", {"model": offered.id})
    assert answer.location == "/settings#model"
    assert f"{offered.display_name} answers from now on" in adas.read("/settings")
    db.refresh(ada)
    assert ada.model == offered.id


def test_a_model_that_is_not_offered_is_refused(adas: Browser, ada: User, db: Session) -> None:
    answer = adas.post("/settings/model", {"model": "somebody/else"})
    assert answer.status_code == 422
    assert "not offered" in answer.text
    assert "not offered" in adas.post_part("/settings/model", {"model": ""}).text
    db.refresh(ada)
    assert ada.model is None


def test_a_browser_can_be_sent_away(
    adas: Browser, ada: User, log_in: Callable[[User], Browser], db: Session
) -> None:
    phone = log_in(ada)
    older, newer = sorted(sessions.list_live(db, ada.id), key=lambda opened: opened.id)
    answer = adas.post(f"/settings/browsers/{newer.id}/revocation")
    assert answer.location == "/settings#browsers"
    assert phone.get("/settings").status_code == 303
    assert [opened.id for opened in sessions.list_live(db, ada.id)] == [older.id]
    assert adas.get("/settings").status_code == 200


def test_nobody_can_send_away_the_browsers_of_others(
    adas: Browser, ada: User, eves: Browser, db: Session
) -> None:
    (hers,) = sessions.list_live(db, ada.id)
    eves.post(f"/settings/browsers/{hers.id}/revocation")
    eves.post("/settings/browsers/revocation")
    assert adas.get("/settings").status_code == 200
    assert eves.post(f"/settings/browsers/{new_id()}/revocation").status_code == 303
    assert eves.post("/settings/browsers/all/revocation").status_code == 404


def test_all_other_browsers_can_be_sent_away_at_once(
    adas: Browser, ada: User, eves: Browser, log_in: Callable[[User], Browser]
) -> None:
    phone, library = log_in(ada), log_in(ada)
    assert "Log out everywhere else" in adas.read("/settings")
    adas.post("/settings/browsers/revocation")
    assert [b.get("/settings").status_code for b in (adas, phone, library)] == [200, 303, 303]
    assert eves.get("/settings").status_code == 200
    assert "Log out everywhere else" not in adas.read("/settings")


def test_the_list_of_browsers_names_them(browser: Browser, ada: User) -> None:
    browser.client.environ_base["HTTP_USER_AGENT"] = (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 "
        "(KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1"
    )
    browser.log_in(ada.email)
    assert "Safari on iPhone" in browser.read("/settings")


def test_settings_show_what_is_left_and_nothing_of_others(
    adas: Browser, eves: Browser, settings: Settings
) -> None:
    page = adas.read("/settings")
    assert f"${settings.sign_up_grant_micros / 1_000_000:.2f}" in page
    assert "eve@example.org" not in page
    assert "ada@example.org" not in eves.read("/settings")
