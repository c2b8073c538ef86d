"""The rows of the made-up year: what is written of people, messages and money, and in which order.

All books balance: what a person has is kept along, and written with them at the end.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from models.base import utc_now
from tasks.demo_data.copying import Copier
from tasks.demo_data.people import Person

COLUMNS = {
    "users": (
        "id, email, name, timezone, needs, onboarded_at, email_verified_at, model,"
        " credits_balance_micros, credits_promotional_micros, oldest_grant_at,"
        " spending_frozen_at, spending_frozen_reason, created_at"
    ),
    "conversations": "id, user_id, title, created_at, updated_at",
    "messages": "id, conversation_id, user_id, job_id, role, text, html, channel, created_at",
    "jobs": (
        "id, user_id, conversation_id, message_id, model, status, is_head, ready_at, attempt,"
        " worker_id, failure_code, failure_details, created_at, started_at, finished_at"
    ),
    "model_calls": (
        "id, user_id, job_id, attempt, model, status, held_micros, created_at, closed_at"
    ),
    "transactions": (
        "id, user_id, kind, amount_micros, promotional_micros, reference, call_id, reverses_id,"
        " job_id, model, provider, tokens_in, tokens_out, provider_cost_micros, price_version,"
        " reason, carried_micros, note, created_at"
    ),
    "payments": (
        "id, user_id, kind, status, amount_micros, charged_micros, returned_micros,"
        " absorbed_micros, stripe_intent_id, failure, created_at, paid_at"
    ),
    "payment_refunds": "id, payment_id, back_micros, taken_micros, absorbed_micros, created_at",
    "payment_disputes": (
        "id, payment_id, status, taken_micros, absorbed_micros, created_at, closed_at"
    ),
    "billing_accounts": "user_id, stripe_customer_id, created_at",
    "user_sessions": "id, user_id, user_agent, created_at, seen_at, expires_at",
    "channel_accounts": "id, user_id, channel, account_id, address, name, linked_at",
    "state_snapshots": "id, user_id, version, packs, size_bytes, job_id, created_at",
}
BROWSERS = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/148.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_6) Version/19.0 Safari/605.1.15",
)


@dataclass
class Account:
    """What a person has while the year goes by."""

    id: str
    balance: int = 0
    granted: int = 0
    frozen_at: datetime | None = None


@dataclass(frozen=True)
class Entry:
    """An entry of the ledger; what is not said is empty."""

    kind: str
    amount: int
    reference: str
    at: datetime
    call: str | None = None
    reverses: str | None = None
    job: str | None = None
    model: str | None = None
    tokens: tuple[int, int] | None = None
    cost: int | None = None
    reason: str | None = None
    carried: int = 0
    note: str | None = None
    # What of it is granted credit, where that does not follow.
    granted: int | None = None


class Rows:
    """Writes rows, with ids that are in the order of their time."""

    def __init__(self, copier: Copier, chance: Random) -> None:
        self._copier, self._chance = copier, chance
        self.add = copier.add

    def new_id(self, at: datetime) -> str:
        """Make a UUIDv7 of that time."""
        drawn = self._chance.getrandbits(74)
        milliseconds = int(at.timestamp() * 1000)
        number = milliseconds << 80 | 7 << 76 | (drawn >> 62) << 64 | 2 << 62 | drawn & (2**62 - 1)
        return f"{number:032x}"

    def entry(self, account: Account, one: Entry) -> str:
        """Append an entry to an account's books, and return its id."""
        granted = self._granted_part(account, one) if one.granted is None else one.granted
        account.balance += one.amount
        account.granted += granted
        entry_id = self.new_id(one.at)
        provider = one.model.partition("/")[0] if one.model else None
        tokens = one.tokens or (None, None)
        priced = "demo+m40" if one.kind == "charge" else None
        self.add(
            "transactions",
            *(entry_id, account.id, one.kind, one.amount, granted, one.reference, one.call),
            *(one.reverses, one.job, one.model, provider, *tokens, one.cost, priced),
            *(one.reason, one.carried, one.note, one.at),
        )
        return entry_id

    @staticmethod
    def _granted_part(account: Account, one: Entry) -> int:
        if one.kind == "grant":
            return one.amount
        if one.amount >= 0:
            return 0
        if one.kind in {"payment_refund", "chargeback"}:
            return min(one.amount + account.balance - account.granted, 0)
        return max(one.amount, -account.granted)

    def person(self, person: Person, account: Account) -> None:
        """Write a person as they are at the end of the year."""
        soon = person.came_at + timedelta(minutes=2)
        frozen = "dispute" if account.frozen_at else None
        self.add(
            "users",
            *(account.id, person.email, person.name, person.timezone, "Made up.", soon, soon),
            *(person.model, account.balance, account.granted, person.came_at, account.frozen_at),
            *(frozen, person.came_at),
        )

    def session(self, account: Account, person: Person, seen_at: datetime) -> None:
        """Write the browser in which somebody was seen last."""
        browser = self._chance.choice(BROWSERS)
        expires_at = person.came_at + timedelta(days=400)
        if seen_at < utc_now() - timedelta(days=60):
            expires_at = seen_at + timedelta(days=1)
        self.add(
            "user_sessions",
            *(
                self.new_id(person.came_at),
                account.id,
                browser,
                person.came_at,
                seen_at,
                expires_at,
            ),
        )
