"""Names that people give to their files, as the cell's file system takes them."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent.message import compose
from agent.state import may_be_kept
from agent.turn import Attachment
from tests.agent.meter.world import MODELS, turn
from untrusted.helper import Patience

FACE = "\N{GRINNING FACE}"
LONG = "\N{CJK UNIFIED IDEOGRAPH-4E2D}"


NAMES = [
    FACE * 80 + ".txt",
    LONG * 200 + ".txt",
    "\U00020000" * 200,
    "e\u0301" * 300 + ".txt",
    "a" * 300 + ".txt",
    "../../" + LONG * 100,
    "\0" * 300,
    "\ud800" * 300,
]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_short_enough_in_bytes(name: str) -> None:
    path = path_of(name)

    assert may_be_kept(path)
    assert len(path.rpartition("/")[2].encode()) < 200


@pytest.mark.parametrize("letter", ["a", "ß", LONG, "\U00020000"])
def test_the_end_of_a_long_name_is_kept(letter: str) -> None:
    assert path_of(letter * 200 + ".txt").endswith(letter + ".txt")


def path_of(name: str) -> str:
    """Where a file of this name is laid down in the cell."""
    given = replace(turn(MODELS["demo"]), attachments=(Attachment(name, "text/plain", b"words"),))
    message = compose(
        given,
        now=datetime.now(UTC),
        accepts_images=True,
        text_max_chars=100,
        patience=Patience(10),
    )
    [path] = message.originals
    return path
