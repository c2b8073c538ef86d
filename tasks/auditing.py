"""Audits the books: every so often by the clock, and by hand (`make audit`, which changes nothing).

A mismatch is logged as an error once, kept in `audit_findings`, and freezes that account.
"""

import sys

import structlog

from models import database, ledger
from models.database import unit_of_work
from models.ledger import Mismatch
from settings import get_settings

log = structlog.get_logger()

SHOWN = 20


def audit() -> list[Mismatch]:
    """Audit all books; return what is wrong and was not known yet."""
    with unit_of_work() as db:
        broken = ledger.audit(db)
    new: list[Mismatch] = []
    for mismatch in (one for found in broken.values() for one in found):
        with unit_of_work() as db:
            is_new = ledger.note(db, mismatch)
        if is_new:
            new.append(mismatch)
            log.error("books.mismatch", **{**vars(mismatch), "user_id": str(mismatch.user_id)})
    return new


def main() -> int:
    """Print each rule with what breaks it; return 1 if anything does."""
    database.connect(get_settings().database_url.get_secret_value(), pool_size=1)
    with unit_of_work() as db:
        broken = ledger.audit(db)
    for rule, found in broken.items():
        print(f"{len(found) or 'ok':>6}  {rule}")
        for one in found[:SHOWN]:
            print(f"        {one.subject} of {one.user_id}: off by {one.off_by_micros} micros")
        if len(found) > SHOWN:
            print(f"        and {len(found) - SHOWN} more")
    return 1 if any(broken.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
