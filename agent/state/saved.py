"""Everybody's saved versions in storage: `state/<user>/<version>-<random>.pack`.

A pack is believed only when its hash is the recorded one, and a version only when its packs make up
the tree that was saved. A damaged or missing version falls back to the one before it, loudly; when
none is left, the turn fails: an assistant that has forgotten everything must never look like a
healthy one.
"""

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass, replace
from uuid import UUID

import structlog

from agent.files import CellFile
from agent.state import pack
from agent.state.layout import MAX_BYTES, may_be_kept
from agent.state.merging import assemble, merge
from agent.state.pack import DamagedState, Pack
from agent.state.saving import BLANK
from agent.state.tree import Tree, size_of
from agent.turn import AgentFailed, SavedPack, SavedState, TurnFailure
from gateways.s3_files import NotStored, Storage, StorageFailed

log = structlog.get_logger()

MEDIA_TYPE = "application/octet-stream"
# With one more, packs are merged. A restore fetches them side by side, so this costs it little.
MOST_PACKS = 16
# So many of the newest are merged at least, and older ones while they are not much larger.
MERGED_PACKS = 8
# A pack is merged along when it is at most so many times what is newer than it.
WORTH_MERGING = 2
PARALLEL_REQUESTS = 8
# Of states larger than this only one is put together at a time, for the sake of memory.
LARGE_BYTES = 64 * 1024 * 1024
KEY = re.compile(r"state/[^/]+/(\d+)-[0-9a-f]+\.pack")


@dataclass(frozen=True)
class Restored:
    """A version, whole and checked: the files of it that go into a cell, and all of its tree."""

    files: tuple[CellFile, ...]
    tree: Tree
    state: SavedState


class SavedStates:
    """Blocking; call it from a thread. Of each user's files up to `most_bytes` are saved."""

    def __init__(self, storage: Storage, most_bytes: int = MAX_BYTES) -> None:
        self.most_bytes = most_bytes
        self._storage = storage
        self._large = threading.Lock()
        self._fetching = ThreadPoolExecutor(PARALLEL_REQUESTS, thread_name_prefix="packs")

    def put(self, user_id: UUID, before: SavedState, tree: Tree, packed: bytes) -> SavedState:
        """Store `packed` as what leads from `before` to `tree`.

        Every so often the newest packs are merged to one, so that a version never has many, and
        what was overwritten meanwhile is dropped. Raises StorageFailed, and DamagedState when a
        pack to be merged is not what was saved.
        """
        version = before.version + 1
        packs = before.packs
        if len(packs) >= MOST_PACKS:
            packs, packed = self._merged(packs, packed)
        key = f"state/{user_id}/{version}-{secrets.token_hex(8)}.pack"
        self._storage.put(key, packed, MEDIA_TYPE)
        newest = SavedPack(key, hashlib.sha256(packed).hexdigest(), len(packed))
        return SavedState(version, (*packs, newest), size_of(tree))

    def get(
        self, states: tuple[SavedState, ...], check: Callable[[], object] = lambda: None
    ) -> Restored:
        """Return the files of the newest version that is whole; none for a new person.

        An older version counts as the newest: what is saved next comes after that. Raises
        AgentFailed when storage is down, or when there are versions and none is whole. Before a
        version counts as damaged `check` may raise, because `states` are no longer those that are
        kept: then their packs were deleted, and nothing is damaged.
        """
        if not states:
            return Restored((), {}, BLANK.state)
        newest = states[0].version
        for state in states:
            try:
                return self._restored(replace(state, version=newest))
            except DamagedState as error:
                check()
                log.error("state.damaged", version=state.version, error=repr(error))
            except StorageFailed as error:
                # An older version is no substitute for one that is only out of reach.
                log.warning("state.unreachable", version=state.version, error=str(error))
                raise AgentFailed(TurnFailure.STATE_UNAVAILABLE, permanent=False) from error
        raise AgentFailed(TurnFailure.STATE_DAMAGED, permanent=True)

    def _restored(self, state: SavedState) -> Restored:
        with self._large if state.size_bytes > LARGE_BYTES else nullcontext():
            files, tree = assemble(self._fetch(state.packs))
        return Restored(tuple(file for file in files if may_be_kept(file.path)), tree, state)

    def _merged(
        self, packs: tuple[SavedPack, ...], packed: bytes
    ) -> tuple[tuple[SavedPack, ...], bytes]:
        """Merge `packed` with those before it that are worth it; return the rest, and the one."""
        first = len(packs) - MERGED_PACKS
        newer = len(packed) + sum(one.size_bytes for one in packs[first:])
        while first > 0 and packs[first - 1].size_bytes <= WORTH_MERGING * newer:
            first -= 1
            newer += packs[first].size_bytes
        older = self._fetch(packs[first:])
        return packs[:first], merge([*older, pack.read(packed)], is_base=first == 0)

    def _fetch(self, packs: tuple[SavedPack, ...]) -> list[Pack]:
        return list(self._fetching.map(self._read, packs))

    def _read(self, saved: SavedPack) -> Pack:
        try:
            packed = self._storage.get(saved.key)
        except NotStored as error:
            raise DamagedState(f"{saved.key} is not there") from error
        if hashlib.sha256(packed).hexdigest() != saved.sha256:
            raise DamagedState(f"the hash of {saved.key} is not the recorded one")
        return pack.read(packed)


def unused(storage: Storage, user_id: UUID, newest: int, kept: Collection[str]) -> list[str]:
    """List the keys of a person's packs that none of the versions kept needs. StorageFailed.

    Such packs are left by workers that died, or lost a race, between storing and recording. Those
    of versions after `newest` do not count: somebody may be about to record them.
    """
    named = [(key, KEY.fullmatch(key)) for key in storage.list(f"state/{user_id}/")]
    return [key for key, match in named if match and int(match[1]) <= newest and key not in kept]
