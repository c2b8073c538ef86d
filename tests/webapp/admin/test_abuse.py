"""The abuse page: who is held, blocked or allowed, once, on record, and what they read then."""

from collections.abc import Callable, Mapping
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.base import utc_now
from models.ops import abuse_scores
from models.people import free_credit
from models.people.identity_keys import hashed
from models.schema.abuse import AccessRule, Verdict
from models.schema.admins import AdminAction
from models.schema.free_credit import FreeCreditRefusal, RefusalReason
from models.schema.jobs import Job
from models.schema.users import User
from settings import get_settings
from tests import factories
from tests.webapp.browser import Browser

PAGE = "/admin/abuse"


def form(**more: str) -> Mapping[str, str]:
    return {"reason": "It looks odd.", "confirmed": "yes", "key": str(uuid4()), **more}


def listed(subject: str, verdict: str, kind: str = "user") -> Mapping[str, str]:
    return form(kind=kind, subject=subject, verdict=verdict)


def rules(db: Session) -> list[AccessRule]:
    db.expire_all()
    return list(db.scalars(sa.select(AccessRule).where(AccessRule.ended_at.is_(None))))


def test_who_is_held_reads_so_and_sends_again_when_it_ends(
    sams: Browser, adas: Browser, db: Session, ada: User
) -> None:
    given = listed(ada.email, "hold")
    for _ in range(2):
        assert sams.post(f"{PAGE}/rules", dict(given)).status_code == 303
    (rule,) = rules(db)
    assert "until somebody of ours has looked" in adas.post("/chat", {"text": "Hello?"}).text
    assert db.scalar(sa.select(sa.func.count(Job.id))) == 0
    assert sams.post(f"{PAGE}/rules", dict(listed(str(ada.id), "block"))).status_code == 303
    assert "Sending is closed on your account" in adas.post("/chat", {"text": "Hello?"}).text
    (block,) = rules(db)
    assert block.id != rule.id
    for expected in (303, 422):
        ended = sams.post(f"{PAGE}/rules/{block.id}/end", dict(form()))
        assert ended.status_code == expected
    assert adas.post("/chat", {"text": "Hello?"}).status_code == 303
    logged = db.scalars(sa.select(AdminAction).order_by(AdminAction.id)).all()
    assert [(one.kind, one.before["verdict"], one.after["verdict"]) for one in logged] == [
        ("rule_set", None, "hold"),
        ("rule_set", "hold", "block"),
        ("rule_ended", "block", None),
    ]


def test_the_free_credit_waits_for_a_look_and_comes_with_it(
    sams: Browser, db: Session, adjust: Callable[..., None]
) -> None:
    adjust(VERIFY_EMAIL="true")
    assert (
        sams.post(f"{PAGE}/rules", dict(listed("@odd.example", "hold", "domain"))).status_code
        == 303
    )
    grace = factories.user(db, "grace@mail.odd.example")
    assert free_credit.decide(db, grace, "8.8.8.8") is RefusalReason.HELD
    db.commit()
    assert sams.post(f"{PAGE}/rules", dict(listed(grace.email, "allow"))).status_code == 303
    db.refresh(grace)
    assert grace.credits_balance_micros == get_settings().sign_up_grant_micros
    blocked = dict(listed("203.0.113.77/24", "block", "network"))
    # It is for documents alone, and no network of the internet.
    assert sams.post(f"{PAGE}/rules", blocked).status_code == 422
    assert (
        sams.post(f"{PAGE}/rules", dict(listed("8.8.4.4", "block", "network"))).status_code == 303
    )
    eve = factories.user(db, "eve@example.org")
    assert free_credit.decide(db, eve, "8.8.4.200") is RefusalReason.LISTED
    shown = {rule.shown: rule.verdict for rule in rules(db)}
    assert shown["8.8.4.0/24"] is Verdict.BLOCK


@pytest.mark.parametrize(
    ("kind", "subject"),
    [("user", "nobody@example.org"), ("user", "x"), ("domain", "no domain"), ("network", "300.1")],
)
def test_what_cannot_be_listed_is_refused(
    olgas: Browser, db: Session, kind: str, subject: str
) -> None:
    refused = olgas.post(f"{PAGE}/rules", dict(listed(subject, "block", kind)))
    assert refused.status_code == 422
    assert "Please type a network" in refused.text
    assert rules(db) == []


def test_nobody_lists_themselves_or_another_admin(sams: Browser, db: Session, olga: User) -> None:
    for address in ("sam@example.org", olga.email):
        assert sams.post(f"{PAGE}/rules", dict(listed(address, "block"))).status_code == 422
    assert rules(db) == []


def test_the_page_names_suspects_networks_and_domains(
    vics: Browser, db: Session, ada: User
) -> None:
    network = hashed("network", "8.8.8.0/24")
    db.add(
        FreeCreditRefusal(
            user_id=ada.id, reason=RefusalReason.CLAIMED, mailbox_hash="m", network_hash=network
        )
    )
    db.flush()
    abuse_scores.rescore(db, utc_now())
    db.commit()
    page = vics.read(PAGE)
    for words in ("the free credit was refused (+25)", network[:12], "example.org"):
        assert words in page
    assert "Put on a list" not in page
