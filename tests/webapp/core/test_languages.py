"""What users read of codes comes out of the catalogue, in their language."""

from datetime import UTC, datetime

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from actions.sentences.failures import of_job
from actions.sentences.payments import top_up_off
from models import jobs, ledger, translation
from models.ledger.entries import record
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job
from models.schema.ledger import EntryKind, EntryNote, FreezeReason, Transaction
from models.schema.payments import (
    BillingAccount,
    Payment,
    PaymentFailure,
    PaymentKind,
    PaymentStatus,
    TopUpOffReason,
)
from models.schema.users import User
from tests import factories
from tests.actions.catalogues import BEGIN, END, Pseudo, spoken
from tests.webapp.browser import Browser
from webapp.core import languages


@pytest.fixture(autouse=True)
def pseudo(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sentence of the catalogue stands in brackets."""
    spoken(monkeypatch, Pseudo())


def in_brackets(page: str, sentence: str) -> bool:
    """Whether a page says this out of the catalogue, and never in another way."""
    return f"{BEGIN}{sentence}" in page and page.count(sentence) == page.count(BEGIN + sentence)


@pytest.mark.parametrize("code", sorted(set(FailureCode) - {FailureCode.OTHER}))
def test_every_failure_is_said_by_the_catalogue(code: FailureCode) -> None:
    for details in ({}, {"charged_micros": 5}, {"charged_micros": 5, "has_part": True}):
        said = of_job(Job(failure_code=code, failure_details=details))
        assert said.startswith(BEGIN)
        assert said.endswith(END)
        assert said.count(BEGIN) == 2


def test_a_page_says_a_failure_by_the_catalogue(adas: Browser, ada: User, db: Session) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.STUCK)
    db.commit()
    page = adas.read(f"/chat/{job.conversation_id}")
    assert in_brackets(page, "Your assistant got stuck at this message")
    assert in_brackets(page, "You were not charged.")


def test_what_was_said_before_there_were_codes_is_said_as_it_was(
    adas: Browser, ada: User, db: Session
) -> None:
    job = factories.running(db, ada)
    jobs.fail(db, job, FailureCode.OTHER)
    job.failure_details = {"text": "A gremlin ate it."}
    db.commit()
    assert "A gremlin ate it." in adas.read(f"/chat/{job.conversation_id}")


@pytest.mark.parametrize("reason", sorted(set(FreezeReason) - {FreezeReason.OTHER}))
def test_a_freeze_is_said_by_the_catalogue(
    adas: Browser, ada: User, db: Session, reason: FreezeReason
) -> None:
    ledger.freeze(ada, reason)
    db.commit()
    said = "Something in your account" if reason is FreezeReason.AUDIT else "Sending is closed"
    assert in_brackets(adas.read("/billing"), said)
    assert in_brackets(adas.read("/chat"), said)


@pytest.mark.parametrize("note", sorted(set(EntryNote) - {EntryNote.OTHER}))
def test_a_note_is_said_by_the_catalogue(
    adas: Browser, ada: User, db: Session, note: EntryNote
) -> None:
    entry = Transaction(kind=EntryKind.ADJUSTMENT, amount_micros=1, reference="test", note=note)
    record(db, ada, entry)
    db.commit()
    assert adas.read("/billing").count(BEGIN) == 1


def test_payments_and_top_ups_are_said_by_the_catalogue(
    adas: Browser, ada: User, db: Session
) -> None:
    db.add(
        Payment(
            user_id=ada.id,
            kind=PaymentKind.CHECKOUT,
            status=PaymentStatus.FAILED,
            failure=PaymentFailure.CARD_DECLINED,
            amount_micros=5_000_000,
            created_at=datetime.now(UTC),
        )
    )
    account = BillingAccount(
        user_id=ada.id,
        top_up_off_reason=TopUpOffReason.TRIED_TOO_OFTEN,
        top_up_off_details={"failure": "expired_card", "tries": 3},
    )
    db.commit()
    page = adas.read("/billing")
    assert in_brackets(page, "Your card was declined.")
    assert top_up_off(account) == "⟦⟦Your card has expired.⟧ It was tried 3 times.⟧"


def test_a_refusal_is_said_by_the_catalogue(browser: Browser) -> None:
    wrong = browser.log_in("nobody@example.org", "wrong password")
    assert wrong.status_code == 422
    assert in_brackets(wrong.text, "E-mail address and password do not match.")
    assert in_brackets(browser.get("/nowhere").text, "There is nothing here")


@pytest.mark.parametrize(
    ("chosen", "asked", "spoken_to"),
    [
        (None, "de-DE, de;q=0.9, en;q=0.5", "de"),
        (None, "fr", "en"),
        ("en", "de", "en"),
        ("de", "en", "de"),
        ("tlh", "de", "en"),
    ],
)
def test_what_a_user_chose_goes_before_what_their_browser_asks_for(
    app: Flask,
    adas: Browser,
    ada: User,
    db: Session,
    monkeypatch: pytest.MonkeyPatch,
    chosen: str | None,
    asked: str,
    spoken_to: str,
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(translation, "LOCALES", ("en", "de"))
    monkeypatch.setattr(translation, "speak", heard.append)
    ada.locale = chosen
    db.commit()
    assert adas.get("/limits", headers={"Accept-Language": asked}).status_code == 200
    assert heard[-1] == spoken_to


def test_only_english_is_spoken_yet(app: Flask) -> None:
    assert translation.LOCALES == ("en",)
    with app.test_request_context(headers={"Accept-Language": "de"}):
        assert languages.choose() == "en"


def test_templates_take_their_words_from_the_same_catalogue(app: Flask) -> None:
    with app.test_request_context():
        template = app.jinja_env.from_string("{% trans name='Ada' %}Hello {{ name }}{% endtrans %}")
        assert template.render() == "⟦Hello Ada⟧"
