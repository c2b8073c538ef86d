"""Looks for words wherever the product keeps anything: in every table, and in every object."""

import re
from collections.abc import Iterable

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from agent.state import SavedStates
from gateways.s3_files import Storage
from models.ops import snapshots
from models.schema.metadata import metadata
from models.schema.users import User
from tasks.worker.build_turn import saved_states

OF_A_USER = re.compile(r"^\w+/[0-9a-f]{8}-[0-9a-f-]{27}/")


def tables_with(db: Session, words: Iterable[str]) -> set[str]:
    """Name the tables in which a row has any of these words, in any case."""
    db.flush()
    found: set[str] = set()
    for table in metadata.sorted_tables:
        row = func.lower(literal_column(f'"{table.name}"::text'))
        for one in words:
            if db.scalar(select(row).select_from(table).where(row.contains(one.lower())).limit(1)):
                found.add(table.name)
    return found


def objects_with(db: Session, storage: Storage, owner: User, words: Iterable[str]) -> set[str]:
    """Name the objects of a user, and the files in what is saved of them, that have the words.

    A pack that belongs to no version is named too: nobody can say what is in it. Objects that bear
    another user's id are left out, of which the tests before leave many.
    """
    looked_for = [one.lower().encode() for one in words]
    versions = snapshots.newest(db, owner.id, limit=1_000)
    known = {key for version in versions for key in (pack["key"] for pack in version.packs)}
    found = set(storage.list(f"state/{owner.id}/")) - known
    for key in storage.list(""):
        is_anothers = OF_A_USER.search(key) and str(owner.id) not in key
        if not is_anothers and any(one in storage.get(key).lower() for one in looked_for):
            found.add(key)
    for version in versions:
        for file in SavedStates(storage).get(saved_states([version])).files:
            if any(one in file.data.lower() for one in looked_for):
                found.add(f"{version.version}:{file.path}")
    return found
