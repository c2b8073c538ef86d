"""`make restore-drill`: a conversation, a backup, a wipe; restored, audited, and gone on with."""

import sys
import tempfile
import time
from pathlib import Path

import httpx2

from embedded.stack import Services, Stack
from models import ledger
from tests import factories
from tests.house import SETTINGS, House, Person
from tests.restoring.backup import Backup

TOLD, ASKED = "My cat is called Byron. Please remember that.", "What is my cat called?"
KNOWN = "Byron"


def main() -> int:
    """Do it on this machine, and return 1 when anything is missing afterwards."""
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        backup = Backup(Path(folder) / "backup")
        before = Path(folder) / "before"
        with Stack(before, settings=SETTINGS) as stack:
            house = House(stack)
            mary = house.person("Mary")
            told = mary.ask_and_wait(TOLD).job
            mary.wait_until_saved(told)
            files = backup.take(house.environment)
            house.close()
        print(f"backup: {files} files and the database; all else is gone")

        began, after = time.monotonic(), Path(folder) / "after"
        with Services(after) as services:
            backup.restore(services.environment())
        with Stack(after, settings=SETTINGS) as stack:
            house = House(stack)
            came_back = _signed_in(house, mary)
            with house.database() as db:
                broken = [one for ones in ledger.audit(db).values() for one in ones]
            answer = came_back.ask_and_wait(ASKED, told.conversation_id).answer
            house.close()
        took = time.monotonic() - began
    print(f"restored and answered after {took:.0f} s; the audit found {len(broken)}: {answer!r}")
    return 0 if KNOWN in answer and not broken else 1


def _signed_in(house: House, known: Person) -> Person:
    """The same person at the site that was restored, signed in by their password."""
    known.house = house
    known.browser = httpx2.Client(
        base_url=house.url, follow_redirects=True, timeout=30, verify=False
    )
    known.post("/login", email=known.email, password=factories.PASSWORD)
    return known


if __name__ == "__main__":
    sys.exit(main())
