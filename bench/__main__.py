"""`make bench`: what a person waits for the first word, against OpenClaw itself, in one run.

Prints ratios, as seconds depend on the machine; the targets are those of the product's promise.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench.first_token import Measured, cold_command, direct, product
from bench.plain_gateway import PlainOpenClaw
from embedded.stack import Stack
from tests.house import SETTINGS, House, wait_for

HOT_LIMIT = 1.5
SPARE_LIMIT = 5.0


def main() -> int:
    """Measure and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--turns", type=int, default=10, help="hot messages to send each way")
    turns = parser.parse_args().turns
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Stack(Path(folder) / "data", settings=SETTINGS) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        spare, hot = product(house, turns)
        engine = PlainOpenClaw(house.environment, Path(folder) / "plain")
        with engine.gateway() as address:
            straight = direct(address, turns)
        cold = cold_command(engine)
        house.close()
    return _report(spare, hot, straight, cold)


def _report(spare: Measured, hot: Measured, straight: Measured, cold: Measured) -> int:
    for one in (straight, hot, spare, cold):
        print(one)
    hot_ratio = hot.median / straight.median
    spare_ratio = cold.median / spare.median
    print(f"\nhot message at the browser / the same gateway called directly: {hot_ratio:.2f} x")
    print(f"  (target: at most {HOT_LIMIT} x)")
    print(f"`openclaw agent --local` / first message to a warm spare: {spare_ratio:.1f} x")
    print(f"  (target: at least {SPARE_LIMIT} x)")
    return 0 if hot_ratio <= HOT_LIMIT and spare_ratio >= SPARE_LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
