"""Fills an empty database of one's own with a made-up year, to look at the admin pages.

make seed-demo
make seed-demo ARGS="--people 200 --messages 20000 --seed 7"
"""

import argparse
import sys
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any, cast

import psycopg
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models import database
from models.base import utc_now
from models.database import unit_of_work
from models.ops import rollups
from models.schema.users import User
from settings import get_settings
from tasks import upkeep
from tasks.demo_data.copying import Copier
from tasks.demo_data.life import Life, Outage
from tasks.demo_data.people import make_people
from tasks.demo_data.rows import COLUMNS, Rows

OUTAGE = timedelta(days=52)


def main(arguments: Sequence[str]) -> int:
    """Make the year and add its numbers up; return 1 if that may not be done here."""
    asked = _parser().parse_args(arguments)
    settings = get_settings()
    if not settings.is_on_own_machine:
        print("Made-up people are for one's own machine, and this is not one.", file=sys.stderr)
        return 1
    database.connect(settings.database_url.get_secret_value(), pool_size=2)
    began = time.monotonic()
    with unit_of_work() as db:
        if asked.first == 1 and _has_demo(db):
            print("The made-up people are here already.", file=sys.stderr)
            return 1
        fill(db, asked.people, asked.messages, asked.seed, utc_now(), first=asked.first)
    written = time.monotonic()
    settle()
    print(f"Written in {written - began:.0f} s, added up in {time.monotonic() - written:.0f} s.")
    return 0


def settle() -> None:
    """Put what was written in order, and add all numbers up anew."""
    with unit_of_work() as db:
        rollups.forget(db)
        _sort(db)
    upkeep.roll_up()
    upkeep.gather_events()
    upkeep.score_abuse()


def fill(
    db: Session, people: int, messages: int, seed: int, now: datetime, *, first: int = 1
) -> None:
    """Write a year that ends now: the same for the same seed and moment. The caller commits.

    `first` is the number of the first person, whom others were written before.
    """
    chance = Random(seed)
    driver = cast("psycopg.Connection[Any]", db.connection().connection.driver_connection)
    copier = Copier(driver, COLUMNS)
    rows = Rows(copier, chance)
    begins = (now - OUTAGE).replace(hour=13, minute=0, second=0, microsecond=0)
    outage = Outage(begins, begins + timedelta(hours=4))
    # Messages of this moment would be in the future once they are answered.
    for person in make_people(chance, people, messages, now - timedelta(minutes=5), first):
        Life(rows, chance, person, outage).live()
    copier.flush()
    driver.execute("SET LOCAL session_replication_role = origin")


def _sort(db: Session) -> None:
    """Let rows lie in the order of their time, as those do that are written as it goes by."""
    for table in ("jobs", "transactions"):
        db.execute(text(f"CLUSTER {table} USING pk_{table}"))
        db.execute(text(f"ANALYZE {table}"))


def _has_demo(db: Session) -> bool:
    made_up = select(User.id).where(User.email.like("%@demo.example.com")).limit(1)
    return db.scalar(made_up) is not None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make seed-demo")
    parser.add_argument("--people", type=int, default=2_000)
    parser.add_argument("--messages", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=1, help="number them from here, beside others")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
