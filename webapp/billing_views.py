"""What the billing page shows, read in one place."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from models import payments
from models.base import utc_now
from models.ledger import EntryKind, Transaction
from models.ledger.reading import entries
from models.payments import BillingAccount, Payment, automatic
from models.users import User
from settings import get_settings
from webapp.formats import viewers_zone

AMOUNTS = (5, 10, 25, 50)
USUAL_AMOUNT = 10
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
CHOICES: dict[str, tuple[str, tuple[EntryKind, ...]]] = {
    "answers": ("Answers", (EntryKind.CHARGE, EntryKind.REFUND)),
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
    return NAMES[entry.kind]


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
            month if _month(month, ZoneInfo("UTC")) else "",
            _id(query.get("before", "")),
        )

    @property
    def kinds(self) -> tuple[EntryKind, ...]:
        return CHOICES[self.kind][1] if self.kind else ()

    def span(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """Say when its month begins and ends where somebody lives."""
        began = _month(self.month, zone)
        return (began, _next(began)) if began else (None, None)


@dataclass(frozen=True)
class View:
    """Everything that the templates of the page want."""

    refusal: str
    chosen_amount: str
    custom_amount: str
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
    db: Session, person: User, query: Mapping[str, str], refusal: str, form: Mapping[str, str]
) -> View:
    """Read the page of whoever asks."""
    settings, wanted = get_settings(), Wanted.in_query(query)
    since, until = wanted.span(viewers_zone())
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
        refusal=refusal,
        chosen_amount=form.get("amount", str(USUAL_AMOUNT)),
        custom_amount=form.get("custom", ""),
        amounts=AMOUNTS,
        lowest_micros=settings.top_up_min_micros,
        highest_micros=settings.top_up_max_micros,
        account=payments.find_account(db, person.id),
        spent_automatically_micros=automatic.spent_this_month(db, person),
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


def _month(text: str, zone: ZoneInfo) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m").replace(tzinfo=zone)
    except ValueError:
        return None


def _next(month: datetime) -> datetime:
    year, number = divmod(month.year * 12 + month.month, 12)
    return month.replace(year=year, month=number + 1)


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
