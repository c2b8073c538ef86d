"""What tests see of helper processes from outside, and a lane of their own."""

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from settings import Settings
from tests.house import wait_for
from untrusted.kinds import LaneLimits
from untrusted.lane import Lane


@contextmanager
def a_lane(
    limits: LaneLimits, settings: Settings, *, most: int = 2, **changes: Any
) -> Generator[Lane]:
    """A lane with its first helper ready, ended afterwards."""
    lane = Lane(limits, settings.model_copy(update=changes), most)
    lane.warm()
    try:
        wait_for(lane.pids, "a helper", seconds=60)
        yield lane
    finally:
        lane.end()


def innermost(pid: int) -> Path:
    """The /proc folder of the helper itself, which is below what walls it in."""
    while children := Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        pid = int(children[0])
    return Path(f"/proc/{pid}")


def status_of(process: Path) -> dict[str, str]:
    lines = (process / "status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def limits_of(process: Path) -> dict[str, str]:
    """The hard limit of each kind."""
    lines = (process / "limits").read_text().splitlines()[1:]
    return {line[:26].strip(): line[47:68].strip() for line in lines}
