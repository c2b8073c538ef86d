"""`make restore-drill`: a conversation, a backup, a wipe; restored, audited, and gone on with.

The database and the files are lost both, and what is restored is looked at before it is used: the
books, every file that a row names, a file that was sent, and what the assistant knows.
"""

import shutil
import sys
import tempfile
import time
from pathlib import Path

import httpx2
import sqlalchemy as sa

from embedded.stack import Services, Stack
from models import ledger
from models.schema.jobs import Job
from models.schema.uploads import Upload
from tests import factories
from tests.house import SETTINGS, House, Person
from tests.restoring.backup import Backup

TOLD, ASKED = "My cat is called Byron. Please remember that.", "What is my cat called?"
KNOWN = "Byron"
SENT = b"Byron likes to sleep on the loom."


def main() -> int:
    """Do it on this machine, and return 1 when anything is missing afterwards."""
    with tempfile.TemporaryDirectory(prefix="restore-") as folder:
        backup = Backup(Path(folder) / "backup")
        mary, told = _lived(Path(folder) / "before", backup)
        began, after = time.monotonic(), Path(folder) / "after"
        with Services(after) as services:
            if not backup.is_nothing_there(services.environment()):
                print("nothing was lost, so nothing is proved")
                return 1
            backup.restore(services.environment())
            lacking = backup.lacking(services.environment())
        with Stack(after, settings=SETTINGS) as stack:
            house = House(stack)
            came_back = _signed_in(house, mary)
            with house.database() as db:
                broken = [one for ones in ledger.audit(db).values() for one in ones]
            sent = _file(came_back)
            answer = came_back.ask_and_wait(ASKED, told.conversation_id).answer
            house.close()
        took = time.monotonic() - began
    print(
        f"restored and answered after {took:.0f} s; the audit found {len(broken)},"
        f" files that are lacking: {len(lacking)}: {answer!r}"
    )
    is_whole = not broken and not lacking and sent == SENT
    return 0 if is_whole and KNOWN in answer else 1


def _lived(folder: Path, backup: Backup) -> tuple[Person, Job]:
    """Let Mary talk and send a file, take a backup, and lose the database and all files."""
    with Stack(folder, settings=SETTINGS) as stack:
        house = House(stack)
        mary = house.person("Mary")
        told = mary.ask_and_wait(TOLD).job
        mary.wait_until_saved(told)
        form = {"csrf_token": mary.token(), "text": "Here is a note on my cat."}
        mary.browser.post("/chat", data=form, files={"files": ("cat.txt", SENT)})
        mary.wait_until_saved(mary.outcome(mary.newest_job()).job)
        files = backup.take(house.environment)
        house.close()
    shutil.rmtree(folder)
    print(f"backup: {files} files and the database; both are lost now")
    return mary, told


def _file(mary: Person) -> bytes:
    """Download what she had sent, as a browser does."""
    with mary.house.database() as db:
        sent = db.scalars(sa.select(Upload.id).where(Upload.user_id == mary.id)).one()
    return mary.browser.get(f"/uploads/{sent}").content


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
