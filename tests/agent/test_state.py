"""Saved files: what goes in comes out, and nothing else does."""

import hashlib
import io
import tarfile
from dataclasses import replace

import pytest
import zstandard
from uuid_utils.compat import uuid7

from agent import state
from agent.cells.files import CellFile
from agent.state import DATABASE, DamagedState, SavedStates
from agent.turn import AgentFailed, SavedState
from gateways.s3_files import Storage, StorageFailed

FILES = [
    CellFile(DATABASE, b"SQLite format 3\0" * 99, 1),
    CellFile("workspace/MEMORY.md", "# Memory\n- Tee trinkt sie grün\n".encode(), 2),
    CellFile("workspace/memory/2026-01-01.md", b"", 3),
]


def test_what_is_packed_is_unpacked() -> None:
    assert state.unpack(state.pack(FILES)) == FILES


def test_what_is_saved_is_found_again(storage: Storage) -> None:
    states = SavedStates(storage)
    user_id = uuid7()

    saved = states.put(user_id, 7, FILES)

    assert saved.version == 7
    assert saved.key.startswith(f"state/{user_id}/7-")
    assert saved.sha256 == hashlib.sha256(storage.get(saved.key)).hexdigest()
    assert saved.size_bytes == len(storage.get(saved.key))
    assert states.get((saved,)) == FILES


def test_a_new_person_has_no_files(storage: Storage) -> None:
    assert SavedStates(storage).get(()) == []


def test_every_save_has_a_key_of_its_own(storage: Storage) -> None:
    states, user_id = SavedStates(storage), uuid7()

    assert states.put(user_id, 1, FILES).key != states.put(user_id, 1, FILES).key


@pytest.mark.parametrize("damage", ["missing", "changed", "cut", "another hash"])
def test_a_damaged_version_falls_back_to_the_one_before(
    storage: Storage, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    states, user_id = SavedStates(storage), uuid7()
    before = states.put(user_id, 1, FILES[:1])
    newest = _damaged(storage, states.put(user_id, 2, FILES), damage)

    assert states.get((newest, before)) == FILES[:1]
    assert "state.damaged" in capsys.readouterr().out


@pytest.mark.parametrize("damage", ["missing", "changed", "cut", "another hash"])
def test_with_no_whole_version_left_nothing_is_made_up(storage: Storage, damage: str) -> None:
    states, user_id = SavedStates(storage), uuid7()
    one = _damaged(storage, states.put(user_id, 1, FILES), damage)
    two = _damaged(storage, states.put(user_id, 2, FILES), damage)

    with pytest.raises(AgentFailed) as failure:
        states.get((two, one))

    assert (failure.value.code, failure.value.permanent) == ("state_unavailable", True)


def test_storage_that_is_down_is_no_reason_to_use_an_older_version(storage: Storage) -> None:
    states, user_id = SavedStates(storage), uuid7()
    before = states.put(user_id, 1, FILES)
    newest = states.put(user_id, 2, FILES)

    class Down(Storage):
        def get(self, key: str) -> bytes:
            if key == newest.key:
                raise StorageFailed("no route")
            return storage.get(key)

    with pytest.raises(AgentFailed) as failure:
        SavedStates(Down(storage._settings)).get((newest, before))  # pyright: ignore[reportPrivateUsage]

    assert (failure.value.code, failure.value.permanent) == ("state_unavailable", False)


@pytest.mark.parametrize(
    "name",
    [
        "/etc/passwd",
        "../openclaw.json",
        "workspace/../openclaw.json",
        "workspace/../../x",
        "workspace",
        "openclaw.json",
        "agents/tenant/agent/other.sqlite",
        "agents/warmup/agent/openclaw-agent.sqlite",
        "./workspace/x",
        "workspace//x",
    ],
)
def test_a_file_out_of_place_is_refused(name: str) -> None:
    with pytest.raises(DamagedState):
        state.unpack(_archive(tarfile.TarInfo(name)))


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE],
)
def test_anything_but_a_plain_file_is_refused(kind: bytes) -> None:
    member = tarfile.TarInfo("workspace/x")
    member.type, member.linkname = kind, "/etc/passwd"

    with pytest.raises(DamagedState):
        state.unpack(_archive(member))


def test_an_archive_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = state.pack([CellFile("workspace/x", bytes(5_000_000))])
    assert len(bomb) < 5_000
    assert state.unpack(bomb)
    monkeypatch.setattr(state, "MAX_BYTES", 4_000_000)

    with pytest.raises(DamagedState):
        state.unpack(bomb)
    with pytest.raises(AgentFailed):
        state.pack([CellFile("workspace/x", bytes(5_000_000))])


def test_old_uploads_are_left_out_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "UPLOADS_KEPT_BYTES", 250)
    uploads = [CellFile(f"workspace/uploads/{age}", bytes(100), 100 - age) for age in range(5)]

    kept = state.unpack(state.pack([*FILES, *uploads]))

    assert {file.path for file in kept} == {
        *(file.path for file in FILES),
        "workspace/uploads/0",
        "workspace/uploads/1",
    }


def _damaged(storage: Storage, saved: SavedState, damage: str) -> SavedState:
    packed = storage.get(saved.key)
    if damage == "missing":
        storage.delete(saved.key)
    elif damage == "changed":
        storage.put(saved.key, packed[:-1] + bytes([packed[-1] ^ 1]))
    elif damage == "cut":
        cut = packed[: len(packed) // 2]
        storage.put(saved.key, cut)
        # Even if the row were right about the hash.
        return replace(saved, sha256=hashlib.sha256(cut).hexdigest())
    else:
        return replace(saved, sha256="0" * 64)
    return saved


def _archive(member: tarfile.TarInfo) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        archive.addfile(member)
    return zstandard.ZstdCompressor().compress(packed.getvalue())
