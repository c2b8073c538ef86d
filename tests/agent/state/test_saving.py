"""What a save takes from a cell, which may be anybody's, and what it refuses."""

import pytest

from agent.files import CellFile, Changed, FilesFailed
from agent.state import DATABASE, StateWriter, TooLarge, pack, saving
from agent.state.tree import PAGE_BYTES, Run
from tests.agent.state.versions import packed

PAGE = b"x" * PAGE_BYTES
BOOK = CellFile("workspace/book.txt", bytes(range(256)) * 160, 5)
NOTE = CellFile("workspace/MEMORY.md", b"# Memory\n", 6)
TWO = 2 * PAGE_BYTES


def test_only_pages_that_changed_are_packed() -> None:
    tree, first = packed({}, [BOOK, NOTE])
    changed = bytearray(BOOK.data)
    changed[PAGE_BYTES * 3 + 9] ^= 1
    changed[-1] ^= 1

    _, second = packed(tree, [CellFile(BOOK.path, bytes(changed), 7), NOTE])

    assert first is not None
    assert second is not None
    assert pack.read(first).pages == BOOK.data + NOTE.data
    index = pack.read(second).index
    assert index.files[BOOK.path].runs == (Run(3, 1), Run(9, 1))
    assert index.files[NOTE.path].runs == ()


def test_nothing_is_packed_when_nothing_changed() -> None:
    tree, _ = packed({}, [BOOK, NOTE])

    assert packed(tree, [BOOK, NOTE]) == (tree, None)


def test_a_file_that_is_as_it_was_need_not_be_sent() -> None:
    tree, _ = packed({}, [BOOK, NOTE])
    writer = StateWriter(tree, {"MEMORY.md": NOTE.data})
    writer.add(Changed(BOOK.path))
    writer.add(Changed(NOTE.path))

    assert writer.finish() == (tree, None)
    assert writer.standing == {"MEMORY.md": NOTE.data}


def test_the_files_that_each_turn_looks_at_are_kept_in_mind() -> None:
    writer = StateWriter({}, {"MEMORY.md": b"# Of old\n"})
    writer.add(Changed(NOTE.path, len(NOTE.data), 6, 0, NOTE.data))

    assert writer.standing == {"MEMORY.md": NOTE.data}


def test_some_pages_of_a_known_file_are_enough() -> None:
    tree, _ = packed({}, [BOOK])
    writer = StateWriter(tree, {})
    data = b"x" * PAGE_BYTES
    writer.add(Changed(BOOK.path, len(BOOK.data), 5, 2, data))
    new, made = writer.finish()

    whole = BOOK.data[: 2 * PAGE_BYTES] + data + BOOK.data[3 * PAGE_BYTES :]
    assert (new, made) == packed(tree, [CellFile(BOOK.path, whole, 5)])


@pytest.mark.parametrize(
    "refused",
    [
        [Changed("openclaw.json", 1, 0, 0, b"x")],
        [Changed("workspace/unknown")],
        [Changed("workspace/x", TWO, 0, 1, PAGE), Changed("workspace/x", TWO, 0, 0, PAGE)],
        [Changed("workspace/x", TWO, 0, 0, b"x" * 5)],
        [Changed("workspace/x", 5, 0, 0, b"x" * 6)],
        [Changed("workspace/x", 5, 0, 1, b"x")],
        [Changed("workspace/x", 5, 0, 0, b"xxxxx"), Changed("workspace/x", 5, 0, 0, b"yyyyy")],
        [
            Changed("workspace/x", 1, 0, 0, b"x"),
            Changed("workspace/y", 1, 0, 0, b"y"),
            Changed("workspace/x", 1, 0, 0, b"x"),
        ],
        [Changed(BOOK.path), Changed(BOOK.path, 1, 0, 0, b"x")],
    ],
)
def test_what_does_not_add_up_to_whole_files_is_refused(refused: list[Changed]) -> None:
    tree, _ = packed({}, [BOOK])
    writer = StateWriter(tree, {})

    with pytest.raises(FilesFailed):
        for change in refused:
            writer.add(change)


@pytest.mark.parametrize(
    "change",
    [
        Changed("workspace/x", TWO, 0, 0, PAGE),
        # It has shrunk, and its last page is another one now.
        Changed(BOOK.path, PAGE_BYTES * 3 - 1, 0, 0, PAGE),
        Changed(BOOK.path, len(BOOK.data) + 1, 0, 0, PAGE),
    ],
)
def test_pages_that_never_came_are_missed(change: Changed) -> None:
    tree, _ = packed({}, [BOOK])
    writer = StateWriter(tree, {})
    writer.add(change)

    with pytest.raises(FilesFailed, match="missing"):
        writer.finish()


def test_old_uploads_are_left_out_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "UPLOADS_KEPT_BYTES", 250)
    uploads = [CellFile(f"workspace/uploads/{age}", bytes(100), 100 - age) for age in range(5)]
    database = CellFile(DATABASE, b"SQLite format 3\0", 1)

    tree, made = packed({}, [*uploads, database])

    assert set(tree) == {DATABASE, "workspace/uploads/0", "workspace/uploads/1"}
    assert made is not None
    # The next save hears that they are as they were, and leaves them out again.
    writer = StateWriter(tree, {})
    for file in [*uploads, database]:
        writer.add(Changed(file.path))
    assert writer.finish() == (tree, None)


def test_more_than_a_user_may_have_is_not_saved() -> None:
    writer = StateWriter({}, {}, most_bytes=len(BOOK.data) - 1)
    writer.add(Changed(BOOK.path, len(BOOK.data), 5, 0, BOOK.data))

    with pytest.raises(TooLarge):
        writer.finish()
