"""A pack is read only when all of it is what was written, and has its place in a state."""

import json

import pytest
import zstandard

from agent.state import layout, pack
from agent.state.pack import FOOTER, MAGIC, DamagedState, Index, PackedFile, PackWriter
from agent.state.tree import PAGE_BYTES, Run

PAGES = bytes(range(256)) * 48
INDEX = Index(
    {
        "workspace/notes.md": PackedFile(2 * PAGE_BYTES, 7, (Run(0, 2),)),
        "workspace/long.txt": PackedFile(9 * PAGE_BYTES - 5, 8, (Run(8, 1),)),
        "workspace/touched": PackedFile(100, 9, ()),
    },
    ("workspace/gone",),
    "the tree",
)
WHOLE = 3 * PAGE_BYTES - 5


def test_what_is_written_is_read() -> None:
    read = pack.read(_written(INDEX))

    assert read.index == INDEX
    assert read.pages == PAGES[:WHOLE]


@pytest.mark.parametrize("at", [0, -1, -6, -30])
def test_a_pack_of_another_form_is_refused(at: int) -> None:
    changed = bytearray(_written(INDEX))
    changed[at] ^= 0x55

    with pytest.raises(DamagedState):
        pack.read(bytes(changed))


@pytest.mark.parametrize("length", [0, 3, 8, 60])
def test_a_pack_that_was_cut_is_found(length: int) -> None:
    with pytest.raises(DamagedState):
        pack.read(_written(INDEX)[:length])


@pytest.mark.parametrize("more", [-1, 1])
def test_pages_that_are_not_those_of_the_index_are_refused(more: int) -> None:
    with pytest.raises(DamagedState):
        pack.read(_written(INDEX, PAGES[: WHOLE + more]))


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
        "workspace/x\0",
    ],
)
def test_a_file_out_of_place_is_refused(name: str) -> None:
    with pytest.raises(DamagedState):
        pack.read(_written(Index({name: PackedFile(0, 0, ())}, (), ""), b""))
    with pytest.raises(DamagedState):
        pack.read(_written(Index({}, (name,), ""), b""))


@pytest.mark.parametrize(
    "runs", [[[1, 1], [0, 1]], [[0, 0]], [[0, 4]], [[-1, 1]], [[0, 2], [1, 1]]]
)
def test_runs_out_of_order_are_refused(runs: list[list[int]]) -> None:
    files = [["workspace/x", 3 * PAGE_BYTES, 0, runs]]

    with pytest.raises(DamagedState, match="order"):
        pack.read(_with_index({"files": files, "removed": [], "tree": ""}))


@pytest.mark.parametrize("index", [{}, {"files": 1}, {"files": [[1]], "removed": [], "tree": ""}])
def test_an_index_of_another_form_is_refused(index: object) -> None:
    with pytest.raises(DamagedState):
        pack.read(_with_index(index))


def test_a_pack_that_unpacks_to_too_much_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pack, "MAX_BYTES", WHOLE)
    assert pack.read(_written(INDEX))
    monkeypatch.setattr(pack, "MAX_BYTES", WHOLE - 1)

    with pytest.raises(DamagedState, match="more than can be kept"):
        pack.read(_written(INDEX))


def test_a_state_may_hold_what_people_have() -> None:
    assert layout.UPLOADS_KEPT_BYTES < layout.MAX_BYTES


def _written(index: Index, pages: bytes = PAGES[:WHOLE]) -> bytes:
    writer = PackWriter()
    writer.add(pages[:5])
    writer.add(memoryview(pages)[5:])
    return writer.finish(index)


def _with_index(index: object) -> bytes:
    compress = zstandard.ZstdCompressor().compress
    packed = compress(json.dumps(index).encode())
    return compress(b"") + packed + FOOTER.pack(len(packed), MAGIC)
