"""Invitations as admins make and end them, and as newcomers come by them."""

import re
from collections.abc import Mapping
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from models.people import waiting_list
from models.schema.admins import AdminAction
from models.schema.emails import Email
from models.schema.invitations import Invitation, WaitingAddress
from models.schema.users import User
from tests import factories
from tests.models.people.test_admission import sign_up_is
from tests.webapp.browser import Browser

PAGE = "/admin/invitations"


def form(**more: str) -> Mapping[str, str]:
    return {"reason": "The beta begins.", "confirmed": "yes", "key": str(uuid4()), **more}


def test_an_invitation_is_made_once_and_ended_once(olgas: Browser, db: Session) -> None:
    given = form(label="Friends", uses="3", bonus="2.50", days="30")
    for _ in range(2):
        assert olgas.post(PAGE, dict(given)).status_code == 303
    made = db.scalars(sa.select(Invitation)).one()
    assert (made.uses_max, made.bonus_micros) == (3, 2_500_000)
    assert made.code in olgas.read(PAGE)
    for expected in (303, 422):
        ended = olgas.post(f"{PAGE}/{made.id}/end", dict(form()))
        assert ended.status_code == expected
    kinds = db.scalars(sa.select(AdminAction.kind).order_by(AdminAction.id)).all()
    assert kinds == ["invitation_made", "invitation_ended"]
    page = olgas.read("/admin/log")
    assert "The beta begins." in page
    assert made.code in page


@pytest.mark.parametrize(
    "change",
    [{"uses": "0"}, {"uses": "many"}, {"label": " "}, {"days": "999"}, {"bonus": "x"}],
)
def test_a_bad_invitation_is_refused(olgas: Browser, db: Session, change: dict[str, str]) -> None:
    refused = olgas.post(PAGE, {**form(label="Friends", uses="1"), **change})
    assert refused.status_code == 422
    assert "An invitation needs a name" in refused.text
    assert db.scalars(sa.select(Invitation)).all() == []


def test_support_promises_no_credit_and_nobody_too_much(
    sams: Browser, olgas: Browser, db: Session
) -> None:
    assert sams.post(PAGE, dict(form(label="Friends", uses="1"))).status_code == 303
    refused = sams.post(PAGE, dict(form(label="Friends", uses="1", bonus="1")))
    assert "Your role does not allow this" in refused.text
    assert olgas.post(PAGE, dict(form(label="A", uses="60", bonus="1"))).status_code == 303
    refused = olgas.post(PAGE, dict(form(label="B", uses="41", bonus="1")))
    assert "in 24 hours" in refused.text
    assert olgas.post(PAGE, dict(form(label="B", uses="40", bonus="1"))).status_code == 303
    assert db.scalar(sa.select(sa.func.count(Invitation.id))) == 3


def test_who_waited_longest_is_invited_once(olgas: Browser, db: Session) -> None:
    for name in ("grace", "eve", "ada"):
        waiting_list.join(db, f"{name}@example.org")
    db.commit()
    given = form(count="2")
    for _ in range(2):
        assert olgas.post(f"{PAGE}/waiting", dict(given)).status_code == 303
    invited = sa.select(WaitingAddress).where(WaitingAddress.invited_at.is_not(None))
    assert {one.address for one in db.scalars(invited)} == {"grace@example.org", "eve@example.org"}
    sent = sa.select(Email.recipient).where(Email.kind == "invitation")
    assert sorted(db.scalars(sent)) == ["eve@example.org", "grace@example.org"]


def test_a_newcomer_comes_by_a_code(app: Flask, browser: Browser, db: Session) -> None:
    sign_up_is(db, "invite_only")
    code = factories.invitation(db, bonus=1_000_000).code
    db.commit()
    page = browser.read("/signup")
    assert "By invitation" in page
    assert 'name="password"' not in page
    assert "not valid" in browser.read("/signup?invitation=AAAAA-AAAAA")
    page = browser.read(f"/signup?invitation={code}")
    assert "You are invited." in page
    typed = {"email": "grace@example.org", "password": factories.PASSWORD}
    assert browser.post("/signup", typed).status_code == 422
    assert browser.post("/signup", {**typed, "invitation": code}).status_code == 303
    grace = db.scalars(sa.select(User).where(User.email == "grace@example.org")).one()
    assert grace.credits_promotional_micros == 2_000_000
    again = {"email": "eve@example.org", "password": factories.PASSWORD, "invitation": code}
    assert Browser(app).post("/signup", again).status_code == 422


def test_the_waiting_list_says_the_same_to_everybody(
    browser: Browser, db: Session, ada: User
) -> None:
    sign_up_is(db, "closed")
    db.commit()
    assert "Full for the moment" in browser.read("/signup")
    said: list[str] = []
    for address in ("grace@example.org", ada.email):
        assert browser.post("/waiting-list", {"email": address}).status_code == 303
        page = browser.read("/signup")
        assert "You are on the list" in page
        # The token of the form has the second in it.
        said.append(re.sub(r'(name="csrf_token"\s+value=")[^"]*', r"\1", page.split("<main")[1]))
    assert said[0] == said[1]
    assert browser.post("/waiting-list", {"email": "nobody"}).status_code == 422
