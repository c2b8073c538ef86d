"""The queue against others doing the same work, and what a claim costs beside many rows.

Every system has two worker processes. Drained: jobs a second with the reply, one entry in the
ledger and the balance written for each. Enqueue to start: single jobs, 20 a second.
"""

import argparse
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from bench.queues import claims, contest, senders
from bench.queues.claims import Table
from bench.queues.contest import Contestant, Place
from bench.queues.databases import Databases
from embedded.stack import Services

DRAIN_TARGET, CLAIM_TARGET = 3.0, 1.1
OURS, LIMIT = "Shellmate", "pgbench, our statements"


def main(arguments: Sequence[str]) -> int:
    """Measure in turns and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench queue")
    parser.add_argument("--rounds", type=int, default=2, help="how often each one is measured")
    parser.add_argument("--starts", type=int, default=500, help="single jobs in each round")
    given = parser.parse_args(arguments)
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Services(Path(folder) / "data") as services,
    ):
        # The verbs read the product's settings; nobody is refused here.
        os.environ.update(services.environment(), MAX_WAITING_USERS="1000000")  # noqa: TID251
        databases = Databases(services.environment()["DATABASE_URL"])
        place = Place(databases, services.environment()["REDIS_URL"])
        limit = Contestant(LIMIT, "", senders.Ours, 100, 20_000)
        contestants = _contestants()
        for _ in range(given.rounds):
            # First, while nothing is left to be written of what was drained.
            for one in contestants:
                contest.time_starts(place, one, given.starts)
            for one in contestants:
                contest.drain(place, one)
            contest.drain_without_python(place, limit)
        tables = claims.measure(databases)
    return max(_report_contest(contestants, limit), _report_claims(tables))


def _contestants() -> list[Contestant]:
    """Ours first. The others with as many jobs at once as is best for them here."""
    return [
        Contestant(OURS, "bench.queues.ours", senders.Ours, 100, 20_000),
        Contestant("pgqueuer", "bench.queues.pgqueued", senders.PgQueuer, 100, 10_000),
        Contestant("procrastinate", "bench.queues.procrastinated", senders.Procrastinate, 4, 2_000),
        Contestant(
            "Dramatiq + Redis", "bench.queues.stock_dramatiq", senders.StockDramatiq, 4, 6_000
        ),
    ]


def _report_contest(contestants: list[Contestant], limit: Contestant) -> int:
    ours, *others = contestants
    print(f"\n{'':26}{'drained':>12}{'enqueue to start':>28}")
    for one in contestants:
        waits = f"p50 {one.wait_ms(50):6.1f}  p99 {one.wait_ms(99):6.1f} ms"
        print(f"{one.name:<26}{one.rate:10,.0f}/s{waits:>28}")
    print(f"{limit.name:<26}{limit.rate:10,.0f}/s")
    drained = ours.rate / max(one.rate for one in others)
    wait = ours.wait_ms(99) / min(one.wait_ms(99) for one in others)
    print(f"\ndrained, ours / the best of the others: {drained:.2f} x")
    print(f"  (target: at least {DRAIN_TARGET} x; of the limit: {ours.rate / limit.rate:.2f})")
    print(f"enqueue to start p99, ours / the best of the others: {wait:.2f} x")
    print("  (target: at most 1 x)")
    return 0 if drained >= DRAIN_TARGET and wait <= 1 else 1


def _report_claims(tables: list[Table]) -> int:
    empty, *others = tables
    print(f"\n{'jobs beside 400 heads':<28}{'a claim':>16}{'ratio':>8}{'a position':>16}")
    for table in tables:
        ratio = table.claim_ms / empty.claim_ms
        print(f"{table.name:<28}{table.claim_ms:13.2f} ms{ratio:8.2f}{table.position_ms:13.2f} ms")
    print(f"  (target: at most {CLAIM_TARGET} x the first)")
    worst = max(table.claim_ms for table in others) / empty.claim_ms
    return 0 if worst <= CLAIM_TARGET else 1
