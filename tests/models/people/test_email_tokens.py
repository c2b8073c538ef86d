"""Links in mails: each works once, for a while, for one person and one purpose."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from models.base import utc_now
from models.database import unit_of_work
from models.people import email_tokens, sessions, sign_ups
from models.people.email_tokens import LinkUsedUp, Retirement
from models.schema.email_tokens import EmailToken, LinkPurpose
from models.schema.users import User
from settings import PROJECT_DIR
from tests import factories
from tests.locks import wait_for_waiter

HOUR = timedelta(hours=1)
SAME_BROWSER = "the session that asked"
RESET = LinkPurpose.PASSWORD_RESET


def made(db: Session, user: User, purpose: LinkPurpose = RESET, address: str = "") -> str:
    return email_tokens.make(db, user, purpose, address=address or user.email)


def test_the_secret_itself_is_not_kept(db: Session, ada: User) -> None:
    secret = made(db, ada)
    kept = db.execute(sa.select(sa.cast(sa.text("mailed_links"), sa.Text)).select_from(EmailToken))
    assert secret not in str(kept.all())
    assert len(secret) > 40


def test_a_link_works_once(db: Session, ada: User) -> None:
    secret = made(db, ada)
    assert email_tokens.find(db, secret, RESET).user_id == ada.id
    user, link = email_tokens.use(db, secret, RESET)
    assert (user.id, link.address) == (ada.id, ada.email)
    with pytest.raises(LinkUsedUp):
        email_tokens.use(db, secret, RESET)


def test_using_one_uses_up_the_others_of_that_person_and_purpose(
    db: Session, ada: User, eve: User
) -> None:
    first, second, eves = made(db, ada), made(db, ada), made(db, eve)
    other = made(db, ada, LinkPurpose.VERIFICATION)
    email_tokens.use(db, second, RESET)
    with pytest.raises(LinkUsedUp):
        email_tokens.find(db, first, RESET)
    assert email_tokens.find(db, eves, RESET).user_id == eve.id
    assert email_tokens.find(db, other, LinkPurpose.VERIFICATION).user_id == ada.id


def test_a_link_expires(db: Session, ada: User) -> None:
    secret = made(db, ada)
    with time_machine.travel(utc_now() + HOUR), pytest.raises(LinkUsedUp):
        email_tokens.use(db, secret, RESET)


@pytest.mark.parametrize("secret", ["", "guess", "x" * 10_000, "\x00"])
def test_guesses_open_nothing(db: Session, ada: User, secret: str) -> None:
    made(db, ada)
    with pytest.raises(LinkUsedUp):
        email_tokens.find(db, secret, RESET)


def test_a_link_opens_nothing_else(db: Session, ada: User) -> None:
    secret = made(db, ada, LinkPurpose.VERIFICATION)
    with pytest.raises(LinkUsedUp):
        email_tokens.use(db, secret, RESET)


def test_a_link_to_an_address_of_before_opens_nothing(db: Session, ada: User) -> None:
    secret = made(db, ada)
    back = made(db, ada, LinkPurpose.ADDRESS_UNDO)
    ada.email = "countess@example.org"
    db.flush()
    with pytest.raises(LinkUsedUp):
        email_tokens.find(db, secret, RESET)
    assert email_tokens.find(db, back, LinkPurpose.ADDRESS_UNDO).address == "ada@example.org"


@pytest.mark.parametrize("purpose", LinkPurpose)
@pytest.mark.parametrize("by", [*Retirement])
def test_a_link_is_retired_by_what_its_rule_says_and_by_nothing_else(
    db: Session, ada: User, purpose: LinkPurpose, by: Retirement
) -> None:
    session = sessions.open_for(db, ada, "Firefox")
    secret = email_tokens.make(db, ada, purpose, address=ada.email, session_id=session.id)
    email_tokens.retire(db, ada.id, by)
    works = True
    try:
        email_tokens.find(db, secret, purpose)
    except LinkUsedUp:
        works = False
    assert works is (by not in email_tokens.RULES[purpose].retired_by)


def test_the_table_in_the_docs_is_what_the_rules_say() -> None:
    docs = (PROJECT_DIR / "docs" / "mail.md").read_text()
    written = docs.partition("## Links in mails")[2].partition("## ")[0]
    rows = [row.split("|")[1:-1] for row in written.splitlines() if row.startswith("| `")]
    table = {row[0].strip().strip("`"): [cell.strip() for cell in row[1:]] for row in rows}
    rules = {
        **{str(purpose): rule for purpose, rule in email_tokens.RULES.items()},
        "sign_up": sign_ups.RULE,
    }
    assert set(table) == set(rules)
    for purpose, rule in rules.items():
        _, lasts, needs, retired_by = table[purpose][:4]
        assert lasts == _in_words(rule.lifetime)
        assert set(retired_by.split("; ")) == set(rule.retired_by)
        assert (SAME_BROWSER in needs) is (Retirement.LOGGED_OUT in rule.retired_by)


def _in_words(lifetime: timedelta) -> str:
    count, unit = (lifetime.days, "day") if lifetime.days else (lifetime.seconds // 3600, "hour")
    return f"{count} {unit}{'s' if count > 1 else ''}"


def test_who_waited_for_the_account_looks_again(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        secret = made(db, factories.user(db, "ada@example.org"))

    def _use() -> None:
        with unit_of_work() as db:
            email_tokens.use(db, secret, RESET)

    with Session(emptied) as first, ThreadPoolExecutor(1) as pool:
        email_tokens.use(first, secret, RESET)
        late = pool.submit(_use)
        wait_for_waiter(emptied)
        first.commit()
        with pytest.raises(LinkUsedUp):
            late.result(10)


def test_of_many_who_use_it_at_once_one_does(emptied: sa.Engine) -> None:
    with unit_of_work() as db:
        secret = made(db, factories.user(db, "ada@example.org"))

    def _use() -> None:
        with unit_of_work() as db:
            email_tokens.use(db, secret, RESET)

    outcomes = factories.in_parallel(8, _use)
    assert outcomes.count(None) == 1
    assert [type(outcome) for outcome in outcomes if outcome].count(LinkUsedUp) == 7
