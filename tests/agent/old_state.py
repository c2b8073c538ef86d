"""Ada's files as they were saved when her agent was called "tenant".

Two conversations, a note that she had kept, and an upload of the first one.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from agent.files import Changed
from agent.state import BLANK, SavedStates, StateWriter
from agent.turn import SavedState
from gateways.s3_files import Storage

ARCHIVE = Path(__file__).parent / "fixtures" / "state-of-agent-tenant.tar.xz"
LOOMS = UUID("01a22c00-0000-7000-8000-000000000001")
FINCHES = UUID("01a22c00-0000-7000-8000-000000000002")
# How the name of the upload begins.
UPLOAD = "343c0b3f"


def stored(user_id: UUID, storage: Storage) -> SavedState:
    """Store it as this person's first version."""
    writer = StateWriter({}, {})
    for change in _files():
        writer.add(change)
    tree, packed = writer.finish()
    assert packed
    return SavedStates(storage).put(user_id, BLANK.state, tree, packed)


def _files() -> Iterator[Changed]:
    with tarfile.open(ARCHIVE) as archive:
        for member in archive:
            data = archive.extractfile(member)
            assert data
            yield Changed(member.name, member.size, int(member.mtime), 0, data.read())
