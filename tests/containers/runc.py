"""Containers run by runc, seen from outside: started, heard, signalled, ended."""

import json
import os
import signal
import subprocess
from pathlib import Path
from secrets import token_hex

from tests.containers.images import Image
from tests.containers.oci import Service, config

STOP_SECONDS = 150


class Container:
    """A running service. Its output is in `log`."""

    def __init__(self, service: Service, image: Image, folder: Path) -> None:
        """Start it; `folder` is for its bundle and may hold several."""
        # Not by the product's name: workers outside clear away control groups called so.
        self.id = f"container-{service.name}-{token_hex(4)}"
        self.log = folder / f"{self.id}.log"
        self._state = folder / "runc"
        bundle = folder / self.id
        bundle.mkdir()
        (bundle / "config.json").write_text(json.dumps(config(service, image)))
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [*self._runc(), "run", "--bundle", str(bundle), self.id],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    @property
    def is_alive(self) -> bool:
        return self._process.poll() is None

    def wait(self, seconds: float = STOP_SECONDS) -> int:
        """Wait until it has ended by itself; return its exit code."""
        return self._process.wait(seconds)

    def stop(self) -> int:
        """Ask its first process to end, as a container engine does; return the exit code."""
        self._send(signal.SIGTERM)
        return self.wait()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the service, with all that the service has."""
        return subprocess.run(
            [*self._runc(), "exec", self.id, *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def end(self) -> None:
        """End it at once, if it still runs, and leave nothing behind."""
        if self.is_alive:
            self._send(signal.SIGKILL)
            self._process.wait(STOP_SECONDS)
        subprocess.run(
            [*self._runc(), "delete", "--force", self.id], capture_output=True, check=False
        )

    def _send(self, wanted: signal.Signals) -> None:
        command = [*self._runc(), "kill", self.id, str(wanted.value)]
        subprocess.run(command, capture_output=True, check=False)

    def _runc(self) -> list[str]:
        return ["runc", "--root", os.fspath(self._state)]
