"""Audits of what people's assistants know: their own person's words, and nobody else's."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from agent.state import SavedStates
from agent.turn import AgentFailed, SavedPack, SavedState
from gateways.s3_files import Storage
from models.ops import snapshots
from models.schema.chat import Message
from settings import Settings
from tests.house import House

# A mark or a canary, and in it the number of whose it is.
SECRET = re.compile(r"(?:mark|canary)-u(\d{3})-[0-9a-f-]+")
# What is logged of a request that met a bug, by us, Flask or gunicorn, and how many characters of
# it are told.
BUGS = ("request_failed", "Exception on /", "Error handling request")
TOLD = 3_000


def owners(text: str) -> set[int]:
    """Return the numbers of the people whose secrets stand in a text."""
    return {int(number) for number in SECRET.findall(text)}


def in_requests(requests: Iterable[Mapping[str, Any]]) -> list[str]:
    """List the requests to the model in which the words of more than one person stand."""
    found: list[str] = []
    for request in requests:
        mixed = owners(json.dumps(request["body"], ensure_ascii=False))
        if len(mixed) > 1:
            found.append(f"a request with the words of {sorted(mixed)}")
    return found


def in_messages(house: House, people: Mapping[UUID, int]) -> list[str]:
    """List the messages, asked and answered, in which somebody else's words stand."""
    with house.database() as db:
        rows = db.execute(
            sa.select(Message.id, Message.user_id, Message.text).where(
                Message.user_id.in_(list(people))
            )
        ).all()
    return [
        f"message {row.id} of {people[row.user_id]}"
        for row in rows
        if owners(row.text) - {people[row.user_id]}
    ]


@dataclass
class States:
    """What was found in everybody's newest version."""

    foreign: list[str] = field(default_factory=list[str])
    broken: list[str] = field(default_factory=list[str])
    forgotten: list[str] = field(default_factory=list[str])


def in_states(
    house: House, settings: Settings, people: Mapping[UUID, int], canaries: Mapping[int, str]
) -> States:
    """Restore everybody's newest version; list what has foreign words, is not whole, or forgot."""
    states, found = SavedStates(Storage(settings)), States()
    for user_id, number in people.items():
        with house.database() as db:
            saved = tuple(
                SavedState(one.version, tuple(SavedPack(**pack) for pack in one.packs), 0)
                for one in snapshots.newest(db, user_id, limit=1)
            )
        try:
            files = states.get(saved).files
        except AgentFailed as error:
            found.broken.append(f"version {saved[0].version} of {number}: {error}")
            continue
        found.foreign += [
            f"{file.path} of {number}"
            for file in files
            if owners(file.data.decode(errors="replace")) - {number}
        ]
        if not any(canaries[number].encode() in file.data for file in files):
            found.forgotten.append(f"the secret of {number} is not in their files")
    return found


def in_logs(folder: Path) -> list[str]:
    """List the log files in which anybody's words stand: what people write is in no log."""
    return [
        f"{path.name}: {len(found)} times"
        for path in sorted(folder.glob("*"))
        if path.is_file() and (found := SECRET.findall(path.read_text(errors="replace")))
    ]


def bugs(folder: Path) -> list[str]:
    """List the requests that ended in a bug of the site, each with the end of its traceback."""
    return [
        f"{path.name}: {_end(line)}"
        for path in sorted(folder.glob("*"))
        if path.is_file()
        for line in path.read_text(errors="replace").splitlines()
        if any(bug in line for bug in BUGS)
    ]


def _end(line: str) -> str:
    try:
        told = json.loads(line[line.index("{") :])
    except ValueError:
        return line[-TOLD:]
    return str(told.get("exception", told))[-TOLD:]


def left_in_storage(
    house: House, settings: Settings, people: Collection[UUID], every: int
) -> list[str]:
    """List packs that no version needs, though a collection has passed since they were stored."""
    from agent.state import unused  # noqa: PLC0415

    storage, found = Storage(settings), list[str]()
    for user_id in people:
        with house.database() as db:
            # Older versions stand there until their packs are deleted.
            kept = snapshots.newest(db, user_id, limit=10_000)
        if kept:
            collected = kept[0].version - kept[0].version % every
            needed = snapshots.keys(kept)
            found += unused(storage, user_id, collected - 1, needed)
    return found
