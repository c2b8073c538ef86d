"""What the billing page shows, read in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy.orm import Session

from gateways import values
from gateways.values import BadValue
from models import payments
from models.base import utc_now
from models.ledger.queries import entries
from models.money import money
from models.payments import auto_topup
from models.periods import month_from
from models.schema.ledger import EntryKind, Transaction
from models.schema.payments import BillingAccount, Payment
from models.schema.users import User
from settings import get_settings
from webapp.core.formats import viewers_zone
from webapp.money.billing_forms import CUSTOM, PLAN_FIELDS

AMOUNTS = (5, 10, 25, 50)
USUAL_AMOUNT = 10
USUAL_PLAN = ("$2", "$10", "$50")
PAGE_LENGTH = 25
MONTHS_OFFERED = 12
# What people call the kinds of entries, and which of them they choose together.
NAMES: dict[EntryKind, str] = {
    EntryKind.GRANT: "Free credits",
    EntryKind.CHARGE: "Answer",
    EntryKind.REFUND: "Given back",
    EntryKind.ABSORBED: "At our expense",
    EntryKind.TOP_UP: "Top-up",
    EntryKind.PAYMENT_REFUND: "Payment refunded",
    EntryKind.CHARGEBACK: "Payment disputed",
    EntryKind.ADJUSTMENT: "Correction",
    EntryKind.EXPIRY: "Free credits lapsed",
}
VOICE = "Voice message"
CHOICES: dict[str, tuple[str, tuple[EntryKind, ...]]] = {
    "answers": ("Answers and voice messages", (EntryKind.CHARGE, EntryKind.REFUND)),
    "payments": (
        "Payments",
        (EntryKind.TOP_UP, EntryKind.PAYMENT_REFUND, EntryKind.CHARGEBACK, EntryKind.ADJUSTMENT),
    ),
    "free": ("Free credits", (EntryKind.GRANT, EntryKind.EXPIRY)),
}
STATES = {
    "open": "Not finished",
    "processing": "On its way",
    "paid": "Paid",
    "failed": "Failed",
    "expired": "Not finished in time",
}


def entry_name(entry: Transaction) -> str:
    """Say what an entry is."""
    is_spoken = entry.kind is EntryKind.CHARGE and entry.is_of_recording
    return VOICE if is_spoken else NAMES[entry.kind]


def payment_state(payment: Payment) -> str:
    """Say how a payment stands."""
    if payment.returned_micros:
        is_whole = payment.returned_micros == payment.amount_micros
        return "Refunded" if is_whole else "Refunded in part"
    return STATES[payment.status]


@dataclass(frozen=True)
class Wanted:
    """Which entries somebody wants to see: `kind` is one of CHOICES, `month` like 2026-11."""

    kind: str = ""
    month: str = ""
    before: UUID | None = None

    @classmethod
    def in_query(cls, query: Mapping[str, str]) -> "Wanted":
        """Read it from an address; what makes no sense is left out."""
        kind = query.get("kind", "")
        month = query.get("month", "")
        return cls(
            kind if kind in CHOICES else "",
            month if _month(month) else "",
            values.uuid_or_none(query.get("before")),
        )

    @property
    def kinds(self) -> tuple[EntryKind, ...]:
        return CHOICES[self.kind][1] if self.kind else ()

    def span(self, timezone: str) -> tuple[datetime | None, datetime | None]:
        """Say when its month begins and ends where somebody lives."""
        first = _month(self.month)
        period = month_from(timezone, first) if first else None
        return (period.begins, period.ends) if period else (None, None)


@dataclass(frozen=True)
class View:
    """Everything that the templates of the page want."""

    # By section or field.
    refusals: Mapping[str, str]
    chosen_amount: str
    custom_amount: str
    # The fields of automatic top-up, as they were typed or as they are set.
    plan: Mapping[str, str]
    amounts: tuple[int, ...]
    lowest_micros: int
    highest_micros: int
    account: BillingAccount | None
    spent_automatically_micros: int
    payments: list[Payment]
    entries: list[Transaction]
    wanted: Wanted
    # Where the next page of entries begins.
    earlier: UUID | None
    months: list[tuple[str, str]]
    grant_expires_days: int
    choices: dict[str, str]

    @property
    def has_filter(self) -> bool:
        return bool(self.wanted.kind or self.wanted.month)


def read(
    db: Session,
    person: User,
    query: Mapping[str, str],
    refusals: Mapping[str, str],
    form: Mapping[str, str],
) -> View:
    """Read the page of whoever asks."""
    settings, wanted = get_settings(), Wanted.in_query(query)
    since, until = wanted.span(person.timezone)
    account = payments.find_account(db, person.id)
    found = entries(
        db,
        person.id,
        kinds=wanted.kinds,
        since=since,
        until=until,
        before=wanted.before,
        limit=PAGE_LENGTH + 1,
    )
    return View(
        refusals=refusals,
        chosen_amount=_chosen(form),
        custom_amount=form.get("custom", ""),
        plan=_plan(account, form),
        amounts=AMOUNTS,
        lowest_micros=settings.top_up_min_micros,
        highest_micros=settings.top_up_max_micros,
        account=account,
        spent_automatically_micros=auto_topup.spent_this_month(db, person),
        payments=payments.list_own(db, person.id),
        entries=found[:PAGE_LENGTH],
        wanted=wanted,
        earlier=found[PAGE_LENGTH - 1].id if len(found) > PAGE_LENGTH else None,
        months=_months(person.created_at),
        grant_expires_days=settings.grant_expires_days,
        choices={key: words for key, (words, _) in CHOICES.items()},
    )


def _months(since: datetime) -> list[tuple[str, str]]:
    """List the months since somebody came, the latest first."""
    zone = viewers_zone()
    first, at = since.astimezone(zone), utc_now().astimezone(zone)
    months: list[tuple[str, str]] = []
    year, month = at.year, at.month
    while (year, month) >= (first.year, first.month) and len(months) < MONTHS_OFFERED:
        months.append((f"{year}-{month:02d}", f"{datetime(year, month, 1, tzinfo=zone):%B %Y}"))
        year, month = (year, month - 1) if month > 1 else (year - 1, 12)
    return months


def _month(text: str) -> date | None:
    try:
        return values.month(text)
    except BadValue:
        return None


def _chosen(form: Mapping[str, str]) -> str:
    """Say which amount is chosen: after two at once, the one that was typed."""
    return CUSTOM if form.get("custom", "").strip() else form.get("amount", str(USUAL_AMOUNT))


def _plan(account: BillingAccount | None, form: Mapping[str, str]) -> dict[str, str]:
    """Say what stands in the fields of automatic top-up."""
    if "is_on" in form:
        return {name: form.get(name, "") for name in PLAN_FIELDS}
    kept = (
        (account.top_up_below_micros, account.top_up_micros, account.top_up_monthly_micros)
        if account
        else (None, None, None)
    )
    return {
        name: usual if micros is None else money(micros)
        for name, usual, micros in zip(PLAN_FIELDS, USUAL_PLAN, kept, strict=True)
    }
