"""What somebody with an administrator's power may ask and do about one account, by hand.

    make account ARGS="show ada@example.org"
    make account ARGS="unfreeze ada@example.org"
    make account ARGS="unfreeze ada@example.org --force 'Why it may spend all the same.'"
    make account ARGS="give-back ada@example.org"
    make account ARGS="admin ada@example.org"
    make account ARGS="admin ada@example.org --role viewer"
    make account ARGS="no-admin ada@example.org"
    make account ARGS="no-two-factor ada@example.org"

Accounts are named by their address or their id.
"""

import argparse
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from actions import wakeups
from actions.sentences import freezes as freeze_sentences
from actions.sentences import rules
from actions.sentences.refusals import sentence_of
from models import database, jobs, ledger
from models.database import unit_of_work
from models.errors import Refused
from models.ledger import freezes
from models.money import money
from models.people import two_factor, users
from models.schema.admins import AdminRole
from models.schema.jobs import Job
from models.schema.users import User
from settings import get_settings


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; return 1, with the reason, when that is refused."""
    asked = _parser().parse_args(arguments)
    database.connect(get_settings().database_url.get_secret_value(), pool_size=1)
    try:
        if asked.verb == "unfreeze":
            _unfreeze(asked.account, asked.force)
        elif asked.verb == "give-back":
            _give_back(asked.account)
        elif asked.verb == "admin":
            _set_admin_role(asked.account, AdminRole(asked.role))
        elif asked.verb == "no-admin":
            _set_admin_role(asked.account, None)
        elif asked.verb == "no-two-factor":
            _remove_two_factor(asked.account)
        _show(asked.account)
    except Refused as refusal:
        print(sentence_of(refusal), file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make account")
    verbs = parser.add_subparsers(
        dest="verb",
        required=True,
        metavar="show | unfreeze | give-back | admin | no-admin | no-two-factor",
    )
    show = verbs.add_parser("show", help="say whether an account is frozen, and why")
    unfreeze = verbs.add_parser("unfreeze", help="let it spend again, and its messages go on")
    back = verbs.add_parser("give-back", help="give back all that it paid for what failed")
    admin = verbs.add_parser("admin", help="let its person see the pages of admins")
    no_admin = verbs.add_parser("no-admin", help="let them see these no more, from now on")
    no_code = verbs.add_parser("no-two-factor", help="let its user in without the lost phone")
    for verb in (show, unfreeze, back, admin, no_admin, no_code):
        verb.add_argument("account", help="an address or an id")
    admin.add_argument(
        "--role", choices=list(AdminRole), default=AdminRole.OWNER, help="owner unless it is said"
    )
    unfreeze.add_argument(
        "--force", metavar="REASON", help="although the audit finds something; the reason is kept"
    )
    return parser


def _unfreeze(who: str, forced_because: str | None) -> None:
    with unit_of_work() as db:
        account = freezes.find_account(db, who)
        resumed = freezes.end(db, account.id, forced_because=forced_because)
    _wake_workers(resumed)
    print(f"It may spend again. Messages that waited and go on: {len(resumed)}.")


def _give_back(who: str) -> None:
    with unit_of_work() as db:
        account = freezes.find_account(db, who)
        micros = ledger.refund_by_hand(db, account.id)
        resumed = jobs.resume(db, account.id) if micros else []
    _wake_workers(resumed)
    print(f"Given back: {money(micros)}. Messages that waited and go on: {len(resumed)}.")


def _wake_workers(resumed: Sequence[Job]) -> None:
    for job in resumed:
        wakeups.resumed(job)


def _set_admin_role(who: str, role: AdminRole | None) -> None:
    with unit_of_work() as db:
        users.set_admin_role(freezes.find_account(db, who), role)


def _remove_two_factor(who: str) -> None:
    with unit_of_work() as db:
        two_factor.remove_by_hand(db, freezes.find_account(db, who))
    print("Two-factor sign-in is off, and every browser is logged out.")


def _show(who: str) -> None:
    with unit_of_work() as db:
        account = freezes.find_account(db, who)
        print(f"{account.email} ({account.id}) has {money(account.credits_balance_micros)}")
        if account.admin_role:
            print("an admin")
            print(f"    role: {account.admin_role}")
        if account.spending_frozen_at is None:
            print("not frozen")
        else:
            print(f"frozen since {_time(account.spending_frozen_at)}")
            print(f"    {freeze_sentences.of_user(account)}")
        stands = ledger.standing_micros(db, account.id)
        if stands:
            print(f"charged without an answer, beyond the cap of a day: {money(stands)}")
        _show_findings(db, account)
        _show_ended(db, account)


def _show_findings(db: Session, account: User) -> None:
    for one in freezes.still_found(db, account.id):
        print(f"found by the audit: {rules.rule(one.rule)}")
        print(f"    {one.subject}: off by {one.off_by_micros} micros")


def _show_ended(db: Session, account: User) -> None:
    for one in freezes.list_ended(db, account.id):
        print(f"unfrozen on {_time(one.created_at)}, was frozen since {_time(one.frozen_at)}")
        print(f"    {freeze_sentences.freeze(one.frozen_reason, one.frozen_details)}")
        if one.forced_because:
            print(f"    by force: {one.forced_because}")
        if one.admin_id:
            print(f"    by the admin {one.admin_id}")


def _time(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
