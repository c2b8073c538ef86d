"""`make fuzz`: send the website whatever nobody means well by, and report what it did not bear."""

import argparse
import json
import logging
import os
import random
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path

import structlog

from tests.fuzz.run import Fuzz, Report
from tests.fuzz.site import SETTINGS, front

# Of each kind; more of the same seldom says more.
MOST_PRINTED = 20


def main() -> int:
    """Run the fuzzer once and print its report; return 1 when anything was found."""
    parser = argparse.ArgumentParser(prog="fuzz")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--count", type=int, default=5_000, help="how many requests")
    parser.add_argument("--report", type=Path, help="a file for the report, as JSON")
    given = parser.parse_args()
    os.environ.update(SETTINGS)  # noqa: TID251
    # What the pages log that are looked for here says nothing about the site.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(f"seed {given.seed}: {given.count} requests", flush=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        data = Path(folder) / "data"
        with front(data, is_kept=False) as site:
            report = Fuzz(site, given.seed, given.count, _say).run()
    _print(report)
    if given.report:
        given.report.write_text(json.dumps(asdict(report), indent=2))
    return 0 if report.is_clean else 1


def _say(words: str) -> None:
    print(f"{time.strftime('%H:%M:%S')}  {words}", flush=True)


def _print(report: Report) -> None:
    print(f"\n{report.requests} requests in {report.seconds:.0f} s", end="")
    print(f", the slowest {report.slowest_seconds:.2f} s")
    share = f"{report.taken_share:.0%} of all fields with all values"
    print(f"{report.pages} pages, {report.fields} fields, {share}")
    print(", ".join(f"{count} × {status}" for status, count in sorted(report.statuses.items())))
    print(f"\n{'what was found':<50}times")
    for kind, found in report.findings.items():
        print(f"{kind:<50}{len(found):5}")
        for one in found[:MOST_PRINTED]:
            print(f"    {one}")
    print(f"\nseed {report.seed}: {'clean' if report.is_clean else 'NOT CLEAN'}")


if __name__ == "__main__":
    sys.exit(main())
