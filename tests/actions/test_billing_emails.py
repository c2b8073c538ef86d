"""Mails about money: one for each alert and each payment, to its person."""

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import billing_emails, stripe_events
from models.ledger import alerts, limits
from models.ledger.limits import Limits
from models.schema.emails import Email
from models.schema.users import User
from tests.payments import bought, notice, spend


def mails(db: Session) -> list[tuple[str, str]]:
    """To whom, and about what."""
    return [(mail.recipient, mail.subject) for mail in db.scalars(sa.select(Email))]


def test_a_payment_is_receipted_once_whatever_stripe_tells(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    stripe_events.take_in(notice(payment, "paid"))

    assert mails(db) == [(ada.email, "Receipt for your top-up of $10.00")]
    text = db.scalars(sa.select(Email.text_body)).one()
    assert "Balance: $11.00" in text
    assert "/billing" in text


def test_a_payment_that_comes_to_nothing_has_no_receipt(db: Session, ada: User) -> None:
    payment = bought(db, ada)
    db.execute(sa.delete(Email))
    stripe_events.take_in(notice(payment, "failed", failure_code="card_declined"))

    assert mails(db) == []


def test_an_alert_is_mailed_to_its_person_once(db: Session, ada: User, eve: User) -> None:
    limits.choose(db, ada.id, Limits(day_micros=100_000, message_micros=100_000))
    spend(db, ada, 60_000)
    for _ in range(2):
        billing_emails.tell_alerts(db, alerts.raise_due(db, ada.id))
        billing_emails.tell_alerts(db, alerts.raise_due(db, eve.id))

    assert mails(db) == [(ada.email, "Half of your limit for today ($0.10) is spent")]
    text = db.scalars(sa.select(Email.text_body)).one()
    assert "settings" not in text
    assert "you set this limit yourself" in text
    assert "/limits" in text


def test_low_credits_are_mailed_with_the_way_to_more(db: Session, ada: User) -> None:
    spend(db, ada, 900_000)
    billing_emails.tell_alerts(db, alerts.raise_due(db, ada.id))

    assert mails(db) == [(ada.email, "Your credits have fallen below $0.20")]
    assert "/billing" in db.scalars(sa.select(Email.text_body)).one()
