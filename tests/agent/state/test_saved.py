"""Versions in storage: what goes in comes out, and nothing else does."""

import hashlib
from dataclasses import replace

import pytest
from uuid_utils.compat import uuid7

from agent.files import CellFile
from agent.state import BLANK, DATABASE, DamagedState, SavedStates, unused
from agent.state.layout import MOST_LEVELS
from agent.state.pack import Index, PackedFile, PackWriter
from agent.state.saved import MEDIA_TYPE, MOST_PACKS
from agent.state.tree import PAGE_BYTES, Run, TreeFile, page_hashes, tree_hash
from agent.turn import AgentFailed, SavedState
from gateways.s3_files import Storage, StorageFailed
from models.ops.snapshots import StaleState
from tests.agent.state.versions import packed

DAMAGES = ["missing", "changed", "cut", "another hash"]


class Life:
    """A person whose files change and are saved."""

    def __init__(self, storage: Storage) -> None:
        self.storage, self.user_id = storage, uuid7()
        self.states = SavedStates(storage)
        self.versions = [BLANK.state]
        self.tree = BLANK.tree
        self.files: list[CellFile] = []
        self.note = CellFile("workspace/note.md", b"")

    def turn(self, number: int, *, size: int | None = None) -> SavedState:
        """Change a page of the database; with `size`, write a note of so many bytes."""
        database = bytearray(b"SQLite format 3\0".ljust(PAGE_BYTES * 40, b"."))
        database[number % 40 * PAGE_BYTES + 99] = number % 256
        if size is not None:
            words = hashlib.shake_256(bytes([number])).digest(size)
            self.note = CellFile(self.note.path, words, number)
        self.files = [CellFile(DATABASE, bytes(database)), self.note]
        self.tree, made = packed(self.tree, self.files)
        assert made is not None
        before = self.versions[-1]
        self.versions.append(self.states.put(self.user_id, before, self.tree, made))
        return self.versions[-1]

    def stored(self) -> set[str]:
        return set(self.storage.list(f"state/{self.user_id}/"))


@pytest.fixture
def life(storage: Storage) -> Life:
    return Life(storage)


def test_what_is_saved_is_found_again(life: Life) -> None:
    for number in range(1, 4):
        saved = life.turn(number, size=number * 1000)

        assert saved.version == number
        assert saved.packs[-1].key.startswith(f"state/{life.user_id}/{number}-")
        assert saved.size_bytes == sum(len(file.data) for file in life.files)
        restored = life.states.get((saved,))
        assert list(restored.files) == life.files
        assert (restored.tree, restored.state) == (life.tree, saved)


def test_a_save_stores_one_object_of_what_changed(life: Life) -> None:
    life.turn(1, size=300_000)
    saved = life.turn(2, size=10)

    assert len(life.stored()) == 2
    assert saved.packs[0] == life.versions[1].packs[0]
    assert saved.packs[1].size_bytes < 1000 < 300_000 < saved.packs[0].size_bytes


def test_what_may_not_be_kept_any_more_goes_into_no_cell(storage: Storage) -> None:
    note = CellFile("workspace/note.md", b"x" * 9)
    deep = CellFile("workspace/" + "d/" * MOST_LEVELS + "note.md", note.data)
    tree = {file.path: TreeFile(9, 0, page_hashes(file.data)) for file in (note, deep)}
    index = Index({path: PackedFile(9, 0, (Run(0, 1),)) for path in tree}, (), tree_hash(tree))
    writer = PackWriter()
    writer.add(note.data + deep.data)
    states = SavedStates(storage)
    saved = states.put(uuid7(), BLANK.state, tree, writer.finish(index))

    restored = states.get((saved,))

    assert restored.files == (note,)
    assert restored.tree == tree


def test_a_new_person_has_no_files(storage: Storage) -> None:
    restored = SavedStates(storage).get(())

    assert (restored.files, restored.tree, restored.state) == ((), {}, BLANK.state)


def test_a_version_never_has_many_packs(life: Life) -> None:
    for number in range(1, 4 * MOST_PACKS):
        assert len(life.turn(number, size=2000).packs) <= MOST_PACKS

    assert list(life.states.get((life.versions[-1],)).files) == life.files


def test_a_large_pack_is_not_stored_again_for_small_ones(life: Life) -> None:
    life.turn(1, size=2_000_000)
    base = life.versions[-1].packs[0]
    for number in range(2, 3 * MOST_PACKS):
        life.turn(number)

    assert life.versions[-1].packs[0] == base


def test_what_nobody_needs_is_found_and_nothing_else(life: Life) -> None:
    first, second = life.turn(1), life.turn(2)
    lost = [f"state/{life.user_id}/2-abcd.pack", f"state/{life.user_id}/1-ef01.pack"]
    coming = f"state/{life.user_id}/3-2345.pack"
    other = f"state/{uuid7()}/1-2345.pack"
    for key in (*lost, coming, other):
        life.storage.put(key, b"x")
    kept = {pack.key for state in (first, second) for pack in state.packs}

    assert sorted(unused(life.storage, life.user_id, 2, kept)) == sorted(lost)


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_version_falls_back_to_the_one_before(
    life: Life, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = life.turn(1, size=10)
    files, tree = life.files, life.tree
    newest = _damaged(life.storage, life.turn(2, size=20), damage)

    restored = life.states.get((newest, before))

    assert (list(restored.files), restored.tree) == (files, tree)
    assert "state.damaged" in capsys.readouterr().out
    # The next save follows the newest, or it could never be recorded.
    assert restored.state == replace(before, version=2)


def test_a_version_that_was_superseded_meanwhile_is_not_damaged(
    life: Life, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = _damaged(life.storage, life.turn(1), "missing")

    def _superseded() -> None:
        raise StaleState

    with pytest.raises(StaleState):
        life.states.get((saved,), _superseded)

    assert "state.damaged" not in capsys.readouterr().out


@pytest.mark.parametrize("damage", DAMAGES)
def test_with_no_whole_version_left_nothing_is_made_up(life: Life, damage: str) -> None:
    one = life.turn(1)
    two = life.turn(2)
    # What both are made of.
    base = _damaged(life.storage, one, damage).packs[0]

    with pytest.raises(AgentFailed) as failure:
        life.states.get((replace(two, packs=(base, two.packs[1])), replace(one, packs=(base,))))

    assert (failure.value.code, failure.value.permanent) == ("state_damaged", True)


def test_packs_that_do_not_make_up_what_was_saved_are_no_version(life: Life) -> None:
    life.turn(1, size=10)
    life.turn(2, size=20)
    saved = life.turn(3, size=30)

    with pytest.raises(AgentFailed):
        life.states.get((replace(saved, packs=(saved.packs[0], saved.packs[2])),))


def test_storage_that_is_down_is_no_reason_to_use_an_older_version(life: Life) -> None:
    before, newest = life.turn(1), life.turn(2)

    class Down(Storage):
        def get(self, key: str) -> bytes:
            if key == newest.packs[-1].key:
                raise StorageFailed("no route")
            return life.storage.get(key)

    down = SavedStates(Down(life.storage._settings))  # pyright: ignore[reportPrivateUsage]
    with pytest.raises(AgentFailed) as failure:
        down.get((newest, before))

    assert (failure.value.code, failure.value.permanent) == ("state_unavailable", False)


def test_a_pack_of_somebody_else_is_believed_by_nobody(life: Life, storage: Storage) -> None:
    """It is whole, and makes up what was saved: of another person."""
    saved = life.turn(1, size=10)
    other = Life(storage)
    theirs = other.turn(2, size=20)
    storage.put(saved.packs[-1].key, storage.get(theirs.packs[-1].key), MEDIA_TYPE)

    with pytest.raises(AgentFailed) as failure:
        life.states.get((saved,))

    assert failure.value.code == "state_damaged"


def test_a_damaged_pack_is_not_merged(life: Life) -> None:
    for number in range(1, MOST_PACKS + 1):
        life.turn(number)
    life.storage.delete(life.versions[-1].packs[-2].key)

    with pytest.raises(DamagedState):
        life.turn(99)


def _damaged(storage: Storage, saved: SavedState, damage: str) -> SavedState:
    *older, newest = saved.packs
    if damage == "missing":
        storage.delete(newest.key)
        return saved
    packed = storage.get(newest.key)
    if damage == "changed":
        storage.put(newest.key, packed[:-1] + bytes([packed[-1] ^ 1]))
        return saved
    if damage == "cut":
        packed = packed[: len(packed) // 2]
        storage.put(newest.key, packed)
    # A cut pack is found even if the row were right about its hash.
    right = hashlib.sha256(packed).hexdigest() if damage == "cut" else "0" * 64
    return replace(saved, packs=(*older, replace(newest, sha256=right)))
