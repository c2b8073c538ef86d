"""Messengers in the settings, in a conversation and before the first one."""

import re

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from channels import registry
from channels.base import ChannelFailed, Trouble
from models.base import utc_now
from models.channels import accounts
from models.schema.channels import ChannelAccount
from models.schema.users import User
from tests import factories
from tests.channels.loft import Hand, Loft
from tests.webapp.browser import Browser

PHONE = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/605.1"}
CODE = re.compile(r"https://pigeon\.example/start/([A-Za-z0-9_-]{20,64})")


def test_a_desktop_shows_a_code_to_scan_and_the_link(
    adas: Browser, loft: Loft, db: Session, ada: User
) -> None:
    assert "Not connected" in adas.read("/settings")
    page = adas.post("/settings/channels/pigeon/code")
    assert page.status_code == 200
    assert "<svg" in page.text
    found = CODE.search(page.text)
    assert found
    assert adas.get("/settings/channels/pigeon/standing").status_code == 204

    loft.at("bird").command("start", found[1])
    gone_on = adas.client.get("/settings/channels/pigeon/standing", headers={"HX-Request": "true"})
    assert gone_on.headers["HX-Redirect"] == "/settings#channels"
    page = adas.read("/settings")
    assert "Pigeon is connected." in page
    assert "Connected since" in page
    assert "A. Bird" in page


def test_a_phone_goes_straight_to_the_messenger(
    adas: Browser, loft: Loft, db: Session, ada: User
) -> None:
    settings = adas.client.get("/settings", headers=PHONE)
    assert 'target="_blank"' in settings.text
    policy = settings.headers["Content-Security-Policy"]
    assert "https://pigeon.example" in policy.partition("form-action")[2].partition(";")[0]
    answer = adas.post("/settings/channels/pigeon/code", headers=PHONE)
    assert answer.status_code == 303
    found = CODE.fullmatch(answer.location)
    assert found
    loft.at("bird").command("start", found[1])
    again = adas.client.get(
        "/settings/channels/pigeon/standing?again=", headers={"HX-Request": "true"}
    )
    assert again.headers["HX-Refresh"] == "true"


def test_a_messenger_that_is_away_takes_no_page_with_it(
    adas: Browser, loft: Loft, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _away(_: str) -> str:
        raise ChannelFailed(Trouble.UNREACHABLE)

    monkeypatch.setattr(loft.pigeon, "link_url", _away)
    assert adas.get("/settings").status_code == 200
    answer = adas.post("/settings/channels/pigeon/code")
    assert answer.status_code == 422
    assert "Pigeon does not answer just now." in answer.text


def test_a_newer_code_ends_the_one_before(adas: Browser, loft: Loft, db: Session) -> None:
    codes = [CODE.search(adas.post("/settings/channels/pigeon/code").text) for _ in range(2)]
    older, newer = (found[1] for found in codes if found)
    loft.at("bird").command("start", older)
    assert loft.notices() == ["link_gone"]
    loft.at("bird").command("start", newer)
    assert loft.notices()[-1] == "linked"


def test_it_is_disconnected_and_the_chat_told(
    adas: Browser, loft: Loft, adas_bird: Hand, db: Session
) -> None:
    assert "Disconnect Pigeon" in adas.read("/settings")
    answer = adas.post("/settings/channels/pigeon/removal")
    assert answer.location == "/settings#channels"
    assert "Pigeon is disconnected." in adas.read("/settings")
    assert db.scalars(sa.select(ChannelAccount)).all() == []
    assert loft.notices() == ["unlinked"]


def test_who_has_one_is_not_given_another_code(adas: Browser, loft: Loft, adas_bird: Hand) -> None:
    assert adas.post("/settings/channels/pigeon/code").location == "/settings#channels"


def test_a_block_is_shown(adas: Browser, loft: Loft, adas_bird: Hand) -> None:
    adas_bird.block()
    assert "You blocked" in adas.read("/settings")


def test_nobody_changes_anything_of_anothers(
    eves: Browser, loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    adas_bird.write("Hello?")
    conversation_id = loft.jobs()[0].conversation_id
    assert "A. Bird" not in eves.read("/settings")
    assert eves.post("/settings/channels/pigeon/removal").status_code == 404
    assert eves.post(f"/chat/{conversation_id}/channels/pigeon").status_code == 404
    assert eves.get("/settings/channels/pigeon/standing").status_code == 204
    loft.link(db.scalars(sa.select(User).where(User.email == "eve@example.org")).one(), "evil")
    assert eves.post(f"/chat/{conversation_id}/channels/pigeon").status_code == 404
    account = accounts.find_own(db, ada.id, "pigeon")
    assert account
    assert account.conversation_id == conversation_id


def test_a_conversation_is_continued_there_and_marked(
    adas: Browser, loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    adas_bird.write("From the air")
    elsewhere = factories.job(db, ada, "From the ground")
    db.commit()
    there = adas.read(f"/chat/{loft.jobs()[0].conversation_id}")
    assert "via Pigeon" in there
    assert "On Pigeon" in there
    here = f"/chat/{elsewhere.conversation_id}"
    page = adas.read(here)
    assert "via Pigeon" not in page
    assert "On Pigeon" not in page
    assert "Continue on Pigeon" in adas.read(f"{here}/edit")

    answer = adas.post(f"{here}/channels/pigeon")
    assert answer.location == here
    page = adas.read(here)
    assert "Pigeon goes on with this conversation." in page
    assert "On Pigeon" in page
    assert "Continue on Pigeon" not in adas.read(f"{here}/edit")
    assert loft.notices() == ["continued"]
    adas_bird.write("Still here")
    assert loft.jobs()[-1].conversation_id == elsewhere.conversation_id


def test_the_page_is_drawn_anew_once_its_marks_change(
    adas: Browser, loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    job = factories.job(db, ada, "From the ground")
    db.commit()
    path = f"/chat/{job.conversation_id}"
    tag = adas.get(path).headers["ETag"]
    assert adas.get(path, headers={"If-None-Match": tag}).status_code == 304
    account = accounts.find_own(db, ada.id, "pigeon")
    assert account
    accounts.show(account, job.conversation_id)
    db.commit()
    assert adas.get(path, headers={"If-None-Match": tag}).status_code == 200


def test_a_deleted_conversation_goes_on_nowhere(
    adas: Browser, loft: Loft, adas_bird: Hand, db: Session, ada: User
) -> None:
    adas_bird.write("Hello?")
    conversation_id = loft.jobs()[0].conversation_id
    adas.post(f"/chat/{conversation_id}/deletion")
    db.expire_all()
    account = accounts.find_own(db, ada.id, "pigeon")
    assert account
    assert account.conversation_id is None
    loft.work()
    assert loft.pigeon.chats == {}


def test_it_is_offered_before_the_first_message_and_not_afterwards(
    adas: Browser, loft: Loft, db: Session, ada: User
) -> None:
    assert "Continue on your phone" in adas.read("/chat")
    factories.job(db, ada)
    db.commit()
    assert "Continue on your phone" not in adas.read("/chat/new")


def test_who_has_connected_it_is_not_offered_it(adas: Browser, loft: Loft, adas_bird: Hand) -> None:
    assert "Continue on your phone" not in adas.read("/chat")


def test_without_any_channel_nothing_is_said_of_them(adas: Browser, ada: User) -> None:
    assert registry.installed() == []
    assert "Messengers" not in adas.read("/settings")
    assert "Continue on your phone" not in adas.read("/chat")
    for path in ("code", "removal"):
        assert adas.post(f"/settings/channels/pigeon/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/settings/channels/telegraph/code"])
def test_an_unknown_channel_is_not_found(adas: Browser, loft: Loft, path: str) -> None:
    assert adas.post(path).status_code == 404


def test_since_when_is_said(adas: Browser, loft: Loft, adas_bird: Hand) -> None:
    assert f"{utc_now():%B %Y}" in adas.read("/settings")
