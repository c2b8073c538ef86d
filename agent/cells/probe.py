"""Says what separates cells on this machine, and what is known to get through.

    python -m agent.cells.probe

Each mode is attacked from inside as a worker does it at its start. Ends with 1 where SANDBOX, as it
is set, would leave the worker without cells.
"""

import logging
import subprocess
import sys

import structlog

from agent.cells.host.probe import NoSandbox, best_sandbox, candidates, try_out
from agent.cells.host.sandbox import Sandbox
from settings import Settings, get_settings


def main() -> int:
    """Print one paragraph a mode, then which is used."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    settings = get_settings()
    for sandbox in candidates(settings):
        print("\n".join(_described(sandbox, settings)), flush=True)
    try:
        chosen = best_sandbox(settings)
    except NoSandbox as error:
        print(f"SANDBOX={settings.sandbox}: no cells. {error}")
        return 1
    print(f"SANDBOX={settings.sandbox}: {chosen.mode.value}")
    return 0


def _described(sandbox: Sandbox, settings: Settings) -> list[str]:
    name = sandbox.mode.value + (f" ({sandbox.bwrap})" if sandbox.bwrap else "")
    try:
        tried = try_out(sandbox, settings)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        reason = str(error).strip().splitlines()[-1:]
        return [f"{name}: cannot be had here. {''.join(reason)}"]
    verdict = "does not hold" if tried.faults else "holds"
    faults = [f"  fault: {fault}" for fault in tried.faults]
    return [f"{name}: {verdict}", *faults, *(f"  known: {gap}" for gap in tried.gaps)]


if __name__ == "__main__":
    sys.exit(main())
