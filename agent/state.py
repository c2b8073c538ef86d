"""A person's files as one archive in storage: `state/<user>/<version>-<random>.tar.zst`.

What is saved is the assistant's database and workspace, and nothing of the cell around them. An
archive is believed only when its hash is the recorded one and every member is a plain file in its
place. A damaged or missing version falls back to the one before it, loudly; when none is left, the
turn fails: an assistant that has forgotten everything must never look like a healthy one.
"""

import hashlib
import io
import secrets
import tarfile
from collections.abc import Iterable
from pathlib import PurePosixPath
from uuid import UUID

import structlog
import zstandard

from agent.cells.files import CellFile
from agent.turn import AgentFailed, SavedState
from gateways.s3_files import NotStored, Storage, StorageFailed

log = structlog.get_logger()

DATABASE = "agents/tenant/agent/openclaw-agent.sqlite"
WORKSPACE = "workspace"
UPLOADS = f"{WORKSPACE}/uploads"
MEDIA_TYPE = "application/zstd"
# Unpacked. Both ways: what may not be restored must not be saved either.
MAX_BYTES = 512 * 1024 * 1024
# The newest uploads up to this; the older ones are still where the person uploaded them.
UPLOADS_KEPT_BYTES = 48 * 1024 * 1024
COMPRESSION_LEVEL = 3

UNREACHABLE = "Your assistant's memory could not be reached just now. Please try again."
LOST = "Your assistant's memory is damaged, so nothing was answered. We have been told about it."
TOO_LARGE = "Your assistant's files have become too large to save."


class DamagedState(Exception):
    """An archive is not what was saved."""


def pack(files: Iterable[CellFile]) -> bytes:
    """Make one compressed archive of `files`; AgentFailed when they are more than can be kept."""
    kept = _without_old_uploads(list(files))
    if sum(len(file.data) for file in kept) > MAX_BYTES:
        raise AgentFailed("state_unavailable", TOO_LARGE, permanent=True)
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for file in kept:
            member = tarfile.TarInfo(file.path)
            member.size, member.mtime, member.mode = len(file.data), file.mtime, 0o600
            archive.addfile(member, io.BytesIO(file.data))
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL).compress(packed.getvalue())


def unpack(packed: bytes) -> list[CellFile]:
    """Return the files of an archive. DamagedState for anything but plain files in their place."""
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(packed))
        with tarfile.open(fileobj=reader, mode="r|") as archive:
            return list(_members(archive))
    except (tarfile.TarError, zstandard.ZstdError, EOFError, OSError, ValueError) as error:
        raise DamagedState(str(error)) from error


def _members(archive: tarfile.TarFile) -> Iterable[CellFile]:
    total = 0
    for member in archive:
        if not member.isreg() or not _is_in_place(member.name):
            raise DamagedState(f"{member.name!r} has no place in a saved state")
        total += member.size
        if total > MAX_BYTES:
            raise DamagedState("it unpacks to more than can be kept")
        content = archive.extractfile(member)
        data = content.read() if content else b""
        if len(data) != member.size:
            raise DamagedState(f"{member.name!r} is cut short")
        yield CellFile(member.name, data, int(member.mtime))


def _is_in_place(name: str) -> bool:
    if name == DATABASE:
        return True
    path = PurePosixPath(name)
    is_plain = not path.is_absolute() and ".." not in path.parts and str(path) == name
    return is_plain and "\0" not in name and len(path.parts) > 1 and path.parts[0] == WORKSPACE


def _without_old_uploads(files: list[CellFile]) -> list[CellFile]:
    uploads = [file for file in files if file.path.startswith(f"{UPLOADS}/")]
    left_out: set[str] = set()
    size = 0
    for file in sorted(uploads, key=lambda file: file.mtime, reverse=True):
        size += len(file.data)
        if size > UPLOADS_KEPT_BYTES:
            left_out.add(file.path)
    return [file for file in files if file.path not in left_out]


class SavedStates:
    """Everybody's saved versions. Blocking; call it from a thread."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    def put(self, user_id: UUID, version: int, files: Iterable[CellFile]) -> SavedState:
        """Store `files` under a new key. Raises StorageFailed, or AgentFailed when too large."""
        packed = pack(files)
        key = f"state/{user_id}/{version}-{secrets.token_hex(8)}.tar.zst"
        self._storage.put(key, packed, MEDIA_TYPE)
        return SavedState(version, key, hashlib.sha256(packed).hexdigest(), len(packed))

    def get(self, states: tuple[SavedState, ...]) -> list[CellFile]:
        """Return the files of the newest version that is whole; none for a new person.

        Raises AgentFailed when storage is down, or when there are versions and none is whole.
        """
        if not states:
            return []
        for state in states:
            try:
                return unpack(self._fetch(state))
            except (NotStored, DamagedState) as error:
                log.error("state.damaged", version=state.version, key=state.key, error=repr(error))
            except StorageFailed as error:
                # An older version is no substitute for one that is only out of reach.
                log.warning("state.unreachable", key=state.key, error=str(error))
                raise AgentFailed("state_unavailable", UNREACHABLE, permanent=False) from error
        raise AgentFailed("state_unavailable", LOST, permanent=True)

    def _fetch(self, state: SavedState) -> bytes:
        packed = self._storage.get(state.key)
        if hashlib.sha256(packed).hexdigest() != state.sha256:
            raise DamagedState("its hash is not the recorded one")
        return packed
