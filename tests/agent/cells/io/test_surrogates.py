"""Pieces of answers, cut where JavaScript cuts."""

import pytest

from agent.cells.io.surrogates import SurrogateDecoder


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["Plain ", "words."], ["Plain ", "words."]),
        (["Grüße \N{GRINNING FACE}"], ["Grüße \N{GRINNING FACE}"]),
        (["A \ud83d", "\ude00!"], ["A ", "\N{GRINNING FACE}!"]),
        (["A \ud83d", "b"], ["A ", "\ufffdb"]),
        (["\ude00"], ["\ufffd"]),
        (["A \ud83d"], ["A ", "\ufffd"]),
        (["N\x00UL"], ["NUL"]),
        ([], []),
    ],
)
def test_pieces_make_whole_characters(given: list[str], said: list[str]) -> None:
    pieces = SurrogateDecoder()

    found = [*map(pieces.add, given), pieces.add("", is_last=True)]

    assert [words for words in found if words] == said
