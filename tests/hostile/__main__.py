"""`make hostile`: send every hostile thing while somebody else chats, and print what that costs."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from embedded.stack import Stack
from tests.hostile.beside import STOP_SECONDS, Beside, Neighbours, sample
from tests.house import SETTINGS, House, wait_for


def main() -> int:
    """Print a line for each; return 1 when another user waited too long, or Stop did not stop."""
    parser = argparse.ArgumentParser(prog="hostile")
    parser.add_argument("--every", type=int, default=1, help="only one of so many")
    given = parser.parse_args()
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251
    with (
        tempfile.TemporaryDirectory(prefix="hostile-") as folder,
        Stack(Path(folder) / "data", settings=SETTINGS) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        neighbours = Neighbours(house)
        print(f"quiet: a first word after {neighbours.quiet:.2f} s", flush=True)
        bad = [
            one for one in map(neighbours.beside, sample(given.every)) if _print(neighbours, one)
        ]
        house.close()
    print(f"{len(bad)} held somebody up")
    return 1 if bad else 0


def _print(neighbours: Neighbours, one: Beside) -> bool:
    """Print what was measured; tell whether it is more than another user has to bear."""
    is_bad = one.first_word > neighbours.bearable or one.stopped_after > STOP_SECONDS
    print(
        f"{'HELD UP ' if is_bad else ''}{one.name}: first word after {one.first_word:.2f} s "
        f"({one.first_word / neighbours.quiet:.2f} times), stopped in {one.stopped_after:.2f} s",
        flush=True,
    )
    return is_bad


if __name__ == "__main__":
    sys.exit(main())
