"""Audits the books: every so often by the clock, and by hand (`make audit`, which changes nothing).

A mismatch is logged as an error once, kept in `audit_findings`, and freezes that account. When an
audit sees it no more, it is marked as resolved; the account waits for somebody who looks.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog

from actions import stripe_reconciliation
from actions.sentences import rules
from gateways.stripe_payments import PaymentsFailed
from models import database, ledger
from models.base import utc_now
from models.database import unit_of_work
from models.ledger import Mismatch, freezes
from models.schema.audits import AuditRule, Books
from models.schema.users import User
from settings import get_settings

log = structlog.get_logger()

SHOWN = 20


def audit() -> list[Mismatch]:
    """Audit what is new in the books, and a part of the rest; return what was not known yet."""
    began = utc_now()
    with unit_of_work() as db:
        broken = ledger.audit_changes(db)
    new = keep(broken, began)
    with unit_of_work() as db:
        ledger.note_run(db, Books.LEDGER, began)
    return new


def audit_at_stripe() -> list[Mismatch]:
    """Hold the books against Stripe's; return what differs and was not known yet.

    That Stripe is away is no finding, and ends none.
    """
    began = utc_now()
    try:
        comparison = stripe_reconciliation.compare()
    except PaymentsFailed as failure:
        log.warning("audit.stripe_not_asked", reason=str(failure))
        return []
    if not comparison.is_whole:
        log.warning("audit.stripe_cut", most=get_settings().audit_stripe_most)
    new = keep(comparison.broken, began, is_whole=comparison.is_whole)
    with unit_of_work() as db:
        ledger.note_run(db, Books.STRIPE, began)
    return new


def keep(
    broken: Mapping[AuditRule, Sequence[Mismatch]], began: datetime, *, is_whole: bool = True
) -> list[Mismatch]:
    """Keep what an audit found, and, if it saw the whole, end what it saw no more.

    Returns what was not known yet.
    """
    new: list[Mismatch] = []
    for mismatch in (one for found in broken.values() for one in found):
        with unit_of_work() as db:
            is_new = ledger.note(db, mismatch)
        if is_new:
            new.append(mismatch)
            log.error("books.mismatch", **{**vars(mismatch), "user_id": str(mismatch.user_id)})
    for rule, found in broken.items() if is_whole else ():
        with unit_of_work() as db:
            over = ledger.resolve(db, rule, found, found_before=began)
            for one in over:
                log.info("books.mended", rule=rule, subject=one.subject, user_id=str(one.user_id))
    return new


def main() -> int:
    """Print each rule with what breaks it, and who is frozen; return 1 if anything is broken."""
    database.connect(get_settings().database_url.get_secret_value(), pool_size=1)
    with unit_of_work() as db:
        broken = ledger.audit(db)
        frozen = freezes.list_frozen(db)
    _print_broken(broken)
    differs = _print_stripe()
    _print_frozen(frozen)
    return 1 if differs or any(broken.values()) else 0


def _print_broken(broken: Mapping[AuditRule, Sequence[Mismatch]]) -> None:
    for rule, found in broken.items():
        print(f"{len(found) or 'ok':>6}  {rules.rule(rule)}")
        for one in found[:SHOWN]:
            print(f"        {one.subject} of {one.user_id}: off by {one.off_by_micros} micros")
        if len(found) > SHOWN:
            print(f"        and {len(found) - SHOWN} more")


def _print_stripe() -> bool:
    """Print what differs at Stripe, or why nobody knows; return whether anything does."""
    if not get_settings().sells_credits:
        print("     -  nothing is sold here: Stripe was not asked")
        return False
    try:
        comparison = stripe_reconciliation.compare()
    except PaymentsFailed as failure:
        print(f"     ?  Stripe could not be asked: {failure}")
        return False
    _print_broken(comparison.broken)
    if not comparison.is_whole:
        print(f"        looked at the last {get_settings().audit_stripe_most:,} alone")
    return any(comparison.broken.values())


def _print_frozen(accounts: Sequence[User]) -> None:
    if not accounts:
        return
    print(f'{len(accounts):>6}  may not spend (make account ARGS="show <address or id>")')
    for one in accounts[:SHOWN]:
        print(f"        {one.id} since {one.spending_frozen_at:%Y-%m-%d %H:%M} UTC")
    if len(accounts) > SHOWN:
        print(f"        and {len(accounts) - SHOWN} more")


if __name__ == "__main__":
    sys.exit(main())
