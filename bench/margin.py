"""What is left of a month's charges: a synthetic month through the real verbs, on real PostgreSQL.

People with different models send messages; some answers fail, break off, are stopped or begun
again, some people run dry. Each call is held, priced and closed as the meter does it.
"""

import argparse
import os
import random
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from sqlalchemy.orm import Session, aliased

from bench.month import Month
from embedded.stack import Services
from models import database, ledger
from models.database import unit_of_work
from models.schema.ledger import EntryKind, Transaction, WriteOffReason
from settings import PROJECT_DIR, get_settings

TARGET_POINTS = 1.0


@dataclass(frozen=True)
class Sums:
    """What the books say, in micros: what people paid, what providers got, what was at our cost."""

    paid: int
    cost: int
    absorbed: dict[str, int]

    @property
    def margin_percent(self) -> float:
        """The part of what people paid that was not paid on to the providers."""
        return 100 * (self.paid - self.cost) / self.paid


def main(arguments: Sequence[str]) -> int:
    """Live through the month and print; return 1 when the margin is not the one that was set."""
    parser = argparse.ArgumentParser(prog="bench margin")
    parser.add_argument("--messages", type=int, default=2_000)
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Services(Path(folder) / "data", is_kept=False) as services,
    ):
        # The verbs read the product's settings. Nobody here reads mail.
        chosen = {"PASSWORD_MEMORY_KIB": "64", "VERIFY_EMAIL": "false"}
        os.environ.update(services.environment() | chosen)  # noqa: TID251
        engine = connect()
        ends = Month(random.Random(given.seed), given.people).live(given.messages)
        with unit_of_work() as db:
            sums, broken = _add_up(db), ledger.audit(db)
        engine.dispose()
    return _report(ends, sums, sum(map(len, broken.values())))


def connect() -> sa.Engine:
    """Bring an empty database of the settings to the newest shape, and connect to it."""
    engine = database.connect(get_settings().database_url.get_secret_value())
    with engine.begin() as connection:
        migrations = Config(PROJECT_DIR / "alembic.ini")
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, "head")
    return engine


def _add_up(db: Session) -> Sums:
    """Read the books. Every provider is paid for every call, whoever pays for it in the end."""
    kinds = (EntryKind.CHARGE, EntryKind.REFUND)
    paid = sa.select(sa.func.sum(-Transaction.amount_micros)).where(Transaction.kind.in_(kinds))
    cost = sa.select(sa.func.sum(Transaction.provider_cost_micros))
    call = aliased(Transaction)
    refunded = sa.select(sa.func.sum(call.provider_cost_micros)).join(
        Transaction, Transaction.reverses_id == call.id
    )
    absorbed = cost.where(Transaction.kind == EntryKind.ABSORBED)
    is_beyond = Transaction.reason == WriteOffReason.BEYOND_HOLD
    return Sums(
        paid=int(db.scalar(paid) or 0),
        cost=int(db.scalar(cost) or 0),
        absorbed={
            "refunded, as no answer came": int(db.scalar(refunded) or 0),
            "of tries that were given up": int(db.scalar(absorbed.where(~is_beyond)) or 0),
            "counted beyond a call's hold": int(db.scalar(absorbed.where(is_beyond)) or 0),
        },
    )


def _report(ends: Counter[str], sums: Sums, findings: int) -> int:
    wanted = get_settings().margin_percent
    print(
        "\nmessages that", *(f"  {count:6}  {end}" for end, count in ends.most_common()), sep="\n"
    )
    print(f"\npeople paid         ${sums.paid / 1e6:10.4f}")
    print(f"providers got       ${sums.cost / 1e6:10.4f}, and of that at our expense:")
    for what, micros in sums.absorbed.items():
        print(f"  {what:<28} ${micros / 1e6:10.4f}")
    print(f"margin              {sums.margin_percent:.2f} %")
    print(f"  (target: {wanted} %, within {TARGET_POINTS} point; the audit found {findings})")
    is_met = abs(sums.margin_percent - wanted) <= TARGET_POINTS
    return 0 if is_met and not findings else 1
