"""News about money, written in the transaction that they tell of.

Receipts are mailed; of the rest each user chooses how they are told.
"""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from actions import notifications, wakeups
from actions.sentences import alerts as sentences
from actions.sentences import payments as payment_sentences
from models.email import outbox, templates
from models.email.templates import Action, Fact
from models.email.templates.content import address_on_site
from models.money import money
from models.schema.alerts import Alert, AlertKind
from models.schema.notifications import Topic
from models.schema.payments import BillingAccount, Payment
from models.schema.users import User
from settings import get_settings

# Why somebody gets such a mail, and where that can be changed.
LIMIT_SET = (
    "You get this because you set this limit yourself. You can change or remove it under “Limits” "
    "in your account."
)
RUNS_LOW = "You get this once each time your credits run low."
CARRIED_TODAY = "You get this at most once a day, when more has failed than we give back."


def tell_alerts(db: Session, raised: Sequence[Alert]) -> None:
    """Tell each of these alerts to its user, once, by the ways that they chose."""
    for alert in raised:
        user = db.get_one(User, alert.user_id)
        words, see, why = _about(alert)
        letter = templates.alert(sentences.words(alert).rstrip("."), words, see=see, why=why)
        notifications.notify(db, user, Topic.ALERTS, letter, reference=f"alert:{alert.id}")


def _about(alert: Alert) -> tuple[list[str], Action, str]:
    """Say what follows from an alert, where to do something about it, and why it is mailed."""
    if alert.kind is AlertKind.BALANCE:
        return [sentences.meaning(alert)], Action("Top up", address_on_site("/billing")), RUNS_LOW
    if alert.kind is AlertKind.ABSORBED:
        support = get_settings().support_address
        words = [sentences.meaning(alert), f"Write to {support}, and somebody will look into it."]
        return words, Action("See what was charged", address_on_site("/billing")), CARRIED_TODAY
    return (
        [sentences.meaning(alert)],
        Action("See your limits", address_on_site("/limits")),
        LIMIT_SET,
    )


def tell_paid(db: Session, user: User, payment: Payment) -> None:
    """Mail the receipt of a payment that was credited, once."""
    facts = [
        Fact("Paid", money(payment.charged_micros or payment.amount_micros)),
        Fact("Credits", money(payment.amount_micros)),
        Fact("Balance", money(user.credits_balance_micros)),
    ]
    see = Action("See your payments", address_on_site("/billing"))
    letter = templates.receipt(f"your top-up of {money(payment.amount_micros)}", facts, see=see)
    outbox.queue(db, user.email, letter, reference=f"receipt:{payment.id}")
    wakeups.mail_after_commit(db)


def tell_top_up_off(db: Session, payment: Payment) -> None:
    """Tell that a payment which failed, or went back, has switched automatic top-up off, once."""
    user, account = db.get_one(User, payment.user_id), db.get_one(BillingAccount, payment.user_id)
    see = Action("Top up", address_on_site("/billing"))
    letter = templates.top_up_off(payment_sentences.top_up_off(account), see=see)
    reference = f"top-up-off:{payment.id}"
    notifications.notify(db, user, Topic.ALERTS, letter, reference=reference)
