"""Plants each fault in a copy of the tree, and tells which of them no fast test notices.

    make mutants
    make mutants ARGS="--only ledger pack"     those whose file or fault has one of these in it
    make mutants ARGS=--places                 plants nothing, and looks if each has its place

First every test that is named runs on the tree as it is: one that fails anyway proves nothing.
Exits with 1 when a fault is not noticed, or when its text does not stand in its file exactly once.
"""

import argparse
import sys

from settings import PROJECT_DIR
from tests.mutants import (
    admins,
    admission,
    attacks,
    files,
    leases,
    memory,
    messengers,
    money,
    notifications,
    ownership,
    prompt,
    reminders,
    rendering,
    sandbox,
    tasks,
    voice,
    web,
)
from tests.mutants.run import Verdict, misplaced, try_all

MUTANTS = (
    *admins.MUTANTS,
    *money.MUTANTS,
    *leases.MUTANTS,
    *ownership.MUTANTS,
    *notifications.MUTANTS,
    *reminders.MUTANTS,
    *memory.MUTANTS,
    *sandbox.MUTANTS,
    *tasks.MUTANTS,
    *rendering.MUTANTS,
    *files.MUTANTS,
    *admission.MUTANTS,
    *voice.MUTANTS,
    *messengers.MUTANTS,
    *attacks.MUTANTS,
    *prompt.MUTANTS,
    *web.MUTANTS,
)


def main(arguments: list[str]) -> int:
    """Plant what is asked for and say what became of it; return the exit code."""
    asked = _parser().parse_args(arguments)
    chosen = [
        one for one in MUTANTS if any(text in f"{one.path} {one.fault}" for text in asked.only)
    ]
    lost = misplaced(PROJECT_DIR, chosen)
    for one in lost:
        print(f"not there exactly once in {one.path}: {one.fault}", flush=True)
    if lost or not chosen:
        return 1
    if asked.places:
        return 0
    bad = 0
    for mutant, verdict in try_all(PROJECT_DIR, chosen, runners=asked.runners):
        is_bad = verdict is not Verdict.NOTICED
        bad += is_bad
        print(f"{verdict.value:>9}  {mutant.path}: {mutant.fault}", flush=True)
    print(f"{len(chosen) - bad} of {len(chosen)} faults are noticed.", flush=True)
    return 1 if bad else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="make mutants")
    parser.add_argument("--only", nargs="+", default=[""], metavar="TEXT", help="try those alone")
    parser.add_argument("--places", action="store_true", help="look only if each has its place")
    parser.add_argument("--runners", type=int, default=2, help="how many are tried side by side")
    return parser


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
