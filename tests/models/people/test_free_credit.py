"""The free credit, once a person: by mailbox, by network, by kind of address."""

import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.sentences.free_credit import refusal
from models import ledger
from models.database import unit_of_work
from models.people import free_credit
from models.people.free_credit import WEEK
from models.people.identity_keys import mailbox_of, network_of
from models.schema.free_credit import FreeCreditClaim, FreeCreditRefusal, RefusalReason
from models.schema.users import User
from settings import get_settings
from tests import factories

pytestmark = pytest.mark.usefixtures("verifying")

HERE = "8.8.8.8"


def decided(db: Session, email: str, ip: str | None = HERE) -> RefusalReason | None:
    """What comes of it when somebody with this address verifies it from there."""
    user = factories.user(db, email)
    reason = free_credit.decide(db, user, ip)
    grant = get_settings().sign_up_grant_micros
    assert user.credits_balance_micros == (0 if reason else grant)
    assert ledger.drift(db, user.id) == 0
    return reason


@pytest.mark.parametrize(
    ("address", "mailbox"),
    [
        ("Ada@Example.org", "ada@example.org"),
        ("ada+news@example.org", "ada@example.org"),
        ("a.d.a+x@gmail.com", "ada@gmail.com"),
        ("a.da@googlemail.com", "ada@gmail.com"),
        ("a_d-a@pm.me", "ada@proton.me"),
        ("ada@mac.com", "ada@icloud.com"),
        ("a.da@example.org", "a.da@example.org"),
        ("+ada@example.org", "+ada@example.org"),
    ],
)
def test_all_addresses_of_one_mailbox_have_one_form(address: str, mailbox: str) -> None:
    assert mailbox_of(address) == mailbox


@pytest.mark.parametrize(
    ("ip", "network"),
    [
        ("8.8.8.8", "8.8.8.0/24"),
        ("::ffff:8.8.8.8", "8.8.8.0/24"),
        ("2606:4700:4700:1:2:3:4:5", "2606:4700:4700::/48"),
        ("127.0.0.1", None),
        ("10.1.2.3", None),
        ("fd00::1", None),
        ("somewhere", None),
        (None, None),
    ],
)
def test_networks_are_those_of_the_public_internet(ip: str | None, network: str | None) -> None:
    assert network_of(ip) == network


def test_a_mailbox_has_it_once(db: Session) -> None:
    assert decided(db, "ada@gmail.com") is None
    assert decided(db, "a.d.a+2@googlemail.com") is RefusalReason.CLAIMED
    assert decided(db, "eve@gmail.com") is None


def test_deciding_again_gives_nothing_more(db: Session) -> None:
    ada = factories.user(db, "ada@example.org")
    for _ in range(2):
        assert free_credit.decide(db, ada, HERE) is None
    assert ada.credits_balance_micros == get_settings().sign_up_grant_micros
    assert db.scalar(sa.select(sa.func.count()).select_from(FreeCreditRefusal)) == 0


def test_a_claim_outlives_its_account_and_names_nobody(db: Session) -> None:
    decided(db, "ada@example.org")
    claim = db.scalars(sa.select(FreeCreditClaim)).one()
    # A digest may have the letters of a name in it by chance, so only its form says that.
    assert re.fullmatch(r"[0-9a-f]{64}", claim.mailbox_hash)
    assert re.fullmatch(r"[0-9a-f]{64}", claim.network_hash or "")
    with factories.rewriting(db):
        db.execute(sa.text("DELETE FROM transactions"))
    db.execute(sa.delete(User))
    db.expire_all()

    assert db.scalars(sa.select(FreeCreditClaim.user_id)).one() is None
    assert decided(db, "ada+again@example.org") is RefusalReason.CLAIMED


@pytest.mark.parametrize("email", ["ada@mailinator.com", "ada@sub.mailinator.com"])
def test_an_address_for_ten_minutes_has_none(db: Session, email: str) -> None:
    assert decided(db, email) is RefusalReason.DISPOSABLE


def test_the_list_of_such_domains_can_be_corrected(
    db: Session, adjust: Callable[..., None]
) -> None:
    adjust(DISPOSABLE_DOMAINS='["quick.example"]', LASTING_DOMAINS='["mailinator.com"]')
    assert decided(db, "ada@quick.example") is RefusalReason.DISPOSABLE
    assert decided(db, "ada@mailinator.com") is None


@pytest.mark.parametrize(
    ("email", "ip"),
    [
        ("eve@example.org", None),
        ("eve+2@example.org", None),
        ("ada@evil.example", None),
        ("ada@below.evil.example", None),
        ("ada@example.org", "93.184.216.34"),
    ],
)
def test_addresses_domains_and_networks_can_be_blocked(
    db: Session, adjust: Callable[..., None], email: str, ip: str | None
) -> None:
    adjust(FREE_CREDIT_BLOCKED='["eve@example.org", "evil.example", "93.184.0.0/16"]')
    assert decided(db, email, ip) is RefusalReason.BLOCKED
    assert decided(db, "grace@example.org") is None


def test_a_network_has_only_so_many_a_week(db: Session, adjust: Callable[..., None]) -> None:
    adjust(FREE_GRANTS_PER_NETWORK="2")
    assert [decided(db, f"p{n}@example.org", f"8.8.8.{n}") for n in range(3)] == [
        None,
        None,
        RefusalReason.NETWORK,
    ]
    assert decided(db, "elsewhere@example.org", "8.8.4.4") is None
    assert decided(db, "behind-a-proxy@example.org", "10.0.0.1") is None
    db.execute(sa.update(FreeCreditClaim).values(created_at=FreeCreditClaim.created_at - WEEK))
    assert decided(db, "next-week@example.org") is None


def test_many_at_once_from_one_network_share_what_is_left(
    emptied: sa.Engine, adjust: Callable[..., None]
) -> None:
    adjust(FREE_GRANTS_PER_NETWORK="3")
    with unit_of_work() as db:
        people = [factories.user(db, f"p{n}@example.org").id for n in range(8)]
    waiting = list(people)

    def _decide() -> None:
        with unit_of_work() as db:
            free_credit.decide(db, ledger.lock_account(db, waiting.pop()), HERE)

    assert factories.in_parallel(8, _decide) == [None] * 8
    with unit_of_work() as db:
        assert db.scalar(sa.select(sa.func.count()).select_from(FreeCreditClaim)) == 3


def test_two_accounts_of_one_mailbox_at_once_have_one_grant(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        waiting = [factories.user(db, f"ada+{n}@example.org").id for n in range(6)]

    def _decide() -> None:
        with unit_of_work() as db:
            free_credit.decide(db, ledger.lock_account(db, waiting.pop()), None)

    assert factories.in_parallel(6, _decide) == [None] * 6
    with unit_of_work() as db:
        granted = sa.select(sa.func.sum(User.credits_balance_micros))
        assert db.scalar(granted) == get_settings().sign_up_grant_micros


def test_every_refusal_is_kept_with_its_reason(db: Session) -> None:
    decided(db, "ada@mailinator.com")
    (kept,) = db.scalars(sa.select(FreeCreditRefusal))
    assert kept.reason is RefusalReason.DISPOSABLE
    assert kept.user_id is not None
    assert free_credit.find_refusal(db, kept.user_id) is RefusalReason.DISPOSABLE
    assert all(refusal(reason).endswith(".") for reason in RefusalReason)


def test_a_refusal_is_forgotten_once_there_is_credit(db: Session) -> None:
    ada = factories.user(db, "ada@mailinator.com")
    free_credit.decide(db, ada, HERE)
    ledger.grant(db, ada.id, 5, reference="gift:1")
    assert free_credit.find_refusal(db, ada.id) is None


def test_without_a_grant_there_is_nothing_to_decide(
    db: Session, adjust: Callable[..., None]
) -> None:
    adjust(SIGN_UP_GRANT_MICROS="0")
    assert decided(db, "ada@mailinator.com") is None
    assert db.scalars(sa.select(FreeCreditRefusal)).all() == []
