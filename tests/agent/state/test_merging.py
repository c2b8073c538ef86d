"""Whatever happens to a person's files, the packs of its saves bring back exactly what they are."""

from hypothesis import given
from hypothesis import strategies as st

from agent.files import CellFile
from agent.state import pack
from agent.state.merging import assemble, merge
from agent.state.pack import Pack
from agent.state.tree import PAGE_BYTES, Tree
from tests.agent.state.versions import packed

NAMES = ("workspace/a", "workspace/b/c", "workspace/ü")
# Sizes around the borders of pages are where mistakes are.
SIZES = st.sampled_from([0, 1, PAGE_BYTES - 1, PAGE_BYTES, PAGE_BYTES + 1, 3 * PAGE_BYTES + 7])
LETTERS = st.sampled_from([b"x", b"y", b"0123456789abc"])
# A state is files by their names, each with its letters, size and time.
State = dict[str, tuple[bytes, int, int]]
FILES = st.tuples(LETTERS, SIZES, st.integers(0, 9))
HISTORIES = st.lists(st.dictionaries(st.sampled_from(NAMES), FILES), min_size=1, max_size=8)


@given(HISTORIES)
def test_the_packs_of_a_history_make_up_its_end(
    history: list[State],
) -> None:
    packs, tree, files = _saved(history)

    assert _sorted(assemble(packs)[0]) == files
    assert assemble(packs)[1] == tree


@given(HISTORIES, st.integers(0, 7))
def test_merging_the_newest_packs_changes_nothing(history: list[State], first: int) -> None:
    packs, tree, files = _saved(history)
    first = min(first, max(0, len(packs) - 1))

    merged = pack.read(merge(packs[first:], is_base=first == 0)) if packs else None
    whole = [*packs[:first], merged] if merged else []

    assert _sorted(assemble(whole)[0]) == files
    assert assemble(whole)[1] == tree


def test_what_was_overwritten_is_not_in_the_merged_pack() -> None:
    history: list[State] = [{"workspace/a": (bytes([n]), PAGE_BYTES * 8, n)} for n in range(5)]
    packs, _, _ = _saved(history)

    merged = pack.read(merge(packs, is_base=True))

    assert sum(len(one.pages) for one in packs) == 5 * 8 * PAGE_BYTES
    assert merged.pages == bytes([4]) * PAGE_BYTES * 8


def test_a_file_that_went_is_named_unless_nothing_is_below() -> None:
    packs, _, _ = _saved([{"workspace/a": (b"1", 1, 1), "workspace/b/c": (b"1", 1, 1)}, {}, {}])

    assert pack.read(merge(packs[1:], is_base=False)).index.removed == NAMES[:2]
    assert pack.read(merge(packs, is_base=True)).index.removed == ()


def _saved(
    history: list[State],
) -> tuple[list[Pack], Tree, list[CellFile]]:
    packs: list[Pack] = []
    tree: Tree = {}
    files: list[CellFile] = []
    for state in history:
        files = [
            CellFile(path, (letters * size)[:size], mtime)
            for path, (letters, size, mtime) in sorted(state.items())
        ]
        tree, made = packed(tree, files)
        if made is not None:
            packs.append(pack.read(made))
    return packs, tree, files


def _sorted(files: list[CellFile]) -> list[CellFile]:
    return sorted(files, key=lambda file: file.path)
