"""The ECS stand-in as a real process, and what it says about its tasks."""

import re
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2

from settings import PROJECT_DIR


@dataclass(frozen=True)
class ServedEcs:
    """A running stand-in."""

    url: str

    def environment(self) -> dict[str, str]:
        """The settings that lead here; boto3 wants some key."""
        return {
            "ECS_ENDPOINT_URL": self.url,
            "ECS_CLUSTER": "shellmate",
            "ECS_WORKER_SERVICE": "workers",
            "AWS_ACCESS_KEY_ID": "none",
            "AWS_SECRET_ACCESS_KEY": "none",
        }

    def told(self) -> dict[str, Any]:
        """Its tasks, and what it has counted."""
        return httpx2.get(f"{self.url}/_control").json()

    def tasks(self) -> list[dict[str, Any]]:
        """The tasks that were not told to stop."""
        return [task for task in self.told()["tasks"] if not task["is_stopping"]]

    def change(self, **given: object) -> None:
        """Deploy another `release`, or say how many are `desired`, as an operator does."""
        httpx2.put(f"{self.url}/_control", json=given).raise_for_status()

    def kill(self, task_id: str) -> None:
        httpx2.delete(f"{self.url}/_control/tasks/{task_id}").raise_for_status()


@contextmanager
def served_ecs(
    command: Sequence[str], environment: Mapping[str, str], *flags: str
) -> Generator[ServedEcs]:
    """Start the stand-in on a free port with tasks that run `command`, and stop all of it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded.fake_ecs", "--port", "0", *flags, "--", *command],
        cwd=PROJECT_DIR,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        told = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert told
        yield ServedEcs(told[0])
    finally:
        process.terminate()
        process.wait(30)
