"""`make drill`: break the whole product on purpose, many times, and audit what is left of it."""

import argparse
import os
import random
import sys
import tempfile
import time
from pathlib import Path

from embedded.stack import Stack
from settings import Settings
from tests.containers import tools
from tests.drill import messengers
from tests.drill.containers import ContainerStack, ContainerWorkers
from tests.drill.plan import OF_CONTAINERS, WEIGHTS, draw
from tests.drill.run import Drill, Report
from tests.drill.waits import Waits
from tests.drill.workers import Workers
from tests.house import SETTINGS, House, wait_for

# Of each kind; more of the same seldom says more.
MOST_PRINTED = 20
# As it is unless somebody sets it: attackers must meet what protects the product.
POST_RATE_LIMIT = str(Settings.model_fields["post_rate_limit"].default)
# How many times longer honest users may wait while attackers are at work.
MOST_LONGER = 1.5
# The drill of what comes in and goes out by messengers.
MESSENGERS = "--messengers"


def main() -> int:
    """Run one drill and print its report; return 1 when the audit found anything."""
    if MESSENGERS in sys.argv:
        return messengers.main([one for one in sys.argv[1:] if one != MESSENGERS])
    parser = argparse.ArgumentParser(prog="drill")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--messages", type=int, default=1000)
    parser.add_argument("--faults", type=int, default=200)
    parser.add_argument("--pause", type=float, default=4.5, help="seconds between two faults")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cells", type=int, default=7, help="cells of each worker")
    parser.add_argument("--at-once", type=int, default=5, help="how many people talk at a time")
    parser.add_argument("--attackers", type=int, help="one in ten of the users, unless given")
    parser.add_argument("--compare", action="store_true", help="run it without attackers first")
    parser.add_argument(
        "--containers", action="store_true", help="workers in containers, as on a cluster"
    )
    given = parser.parse_args()
    if lacking := tools.missing_to_run() if given.containers else None:
        sys.stderr.write(f"{lacking}\n")
        return 1
    if given.attackers is None:
        given.attackers = given.users // 10
    given.users -= given.attackers
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1", DEMO_MODEL_RECORD="1")  # noqa: TID251
    print(
        f"seed {given.seed}: {given.messages} messages, {given.faults} faults, "
        f"{given.attackers} attackers",
        flush=True,
    )
    quiet = _run(given, attackers=0) if given.compare else None
    report = _run(given, attackers=given.attackers)
    for one in (quiet, report):
        if one is not None:
            _print(one, given.faults)
    is_fair = quiet is None or _compare(quiet.waits, report.waits)
    return 0 if is_fair and report.is_clean and (quiet is None or quiet.is_clean) else 1


def _run(given: argparse.Namespace, *, attackers: int) -> Report:
    plan = draw(
        given.seed,
        users=given.users,
        messages=given.messages,
        faults=given.faults,
        pause_seconds=given.pause,
        weights={**WEIGHTS, **OF_CONTAINERS} if given.containers else WEIGHTS,
    )
    own = {"POST_RATE_LIMIT": POST_RATE_LIMIT, "CELLS_PER_WORKER": str(given.cells)}
    kind = ContainerStack if given.containers else Stack
    with (
        tempfile.TemporaryDirectory(prefix="drill-") as folder,
        kind(Path(folder) / "data", settings={**SETTINGS, **own}) as stack,
    ):
        for _ in range(1, given.workers):
            stack.add_worker()
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        is_contained = isinstance(stack, ContainerStack)
        workers = ContainerWorkers(stack) if is_contained else Workers(stack)
        report = Drill(house, plan, workers, given.at_once, _say, attackers).run()
        house.close()
    return report


def _compare(quiet: Waits, attacked: Waits) -> bool:
    """Print how much longer honest users waited beside attackers; tell whether that is bearable."""
    ratios = [now / max(before, 0.01) for before, now in zip(quiet, attacked, strict=True)]
    print(f"\nwaits beside attackers: {ratios[0]:.2f} times at the median, {ratios[1]:.2f} at p90")
    return max(ratios) <= MOST_LONGER


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def _print(report: Report, planned_faults: int) -> None:
    print(
        f"\n{report.messages} messages of {report.people} people in {report.seconds:.0f} s: ",
        end="",
    )
    print(", ".join(f"{count} {status}" for status, count in sorted(report.outcomes.items())))
    print(f"\n{'what broke':<50}times")
    for kind, count in sorted(report.faults.items()):
        print(f"{kind:<50}{count:5}")
    # Fewer than planned where everybody had said everything before.
    print(f"{'all':<50}{sum(report.faults.values()):5} of {planned_faults}", end="")
    print(f"   ({report.missed_stages} of them at no moment of their own)")
    print(f"canaries planted in {report.planted} cells, which were searched {report.looks} times")
    print(f"honest users waited {report.waits.median:.1f} s at the median, ", end="")
    print(f"{report.waits.p90:.1f} s at p90")
    if report.attacks:
        print(f"\n{'what attackers did':<50}times")
        for kind, count in sorted(report.attacks.items()):
            print(f"{kind:<50}{count:5}")
    print(f"\n{'what the audit found':<50}times")
    for name, found in report.findings.items():
        print(f"{name:<50}{len(found):5}")
        for one in found[:MOST_PRINTED]:
            print(f"    {one}")
    print(f"\nseed {report.seed}: {'clean' if report.is_clean else 'NOT CLEAN'}")


if __name__ == "__main__":
    sys.exit(main())
