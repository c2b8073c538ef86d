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


class Bundle:
    """What runc runs a service from, in a folder that may hold several."""

    def __init__(self, service: Service, image: Image, folder: Path) -> None:
        # Not by the product's name: workers outside clear away control groups called so.
        self.id = f"container-{service.name}-{token_hex(4)}"
        self.path = folder / self.id
        self._state = folder / "runc"
        self.path.mkdir()
        (self.path / "config.json").write_text(json.dumps(config(service, image)))

    def runc(self, *words: str) -> list[str]:
        """Return the command that has runc do something."""
        return ["runc", "--root", os.fspath(self._state), *words]

    def running(self) -> list[str]:
        """Return the command that runs it, and ends when it does."""
        return self.runc("run", "--bundle", os.fspath(self.path), self.id)

    def send(self, wanted: signal.Signals) -> None:
        """Signal its first process; when that is killed, all others go with it."""
        command = self.runc("kill", self.id, str(wanted.value))
        subprocess.run(command, capture_output=True, check=False)

    def forget(self) -> None:
        """Kill what runs of it, and leave nothing behind."""
        subprocess.run(self.runc("delete", "--force", self.id), capture_output=True, check=False)


class Container:
    """A running service. Its output is in `log`."""

    def __init__(self, service: Service, image: Image, folder: Path) -> None:
        """Start it; `folder` is for its bundle and may hold several."""
        self._bundle = Bundle(service, image, folder)
        self.log = folder / f"{self._bundle.id}.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._bundle.running(),
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
        self._bundle.send(signal.SIGTERM)
        return self.wait()

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run a command beside the service, with all that the service has."""
        return subprocess.run(
            self._bundle.runc("exec", self._bundle.id, *command),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def end(self) -> None:
        """End it at once, if it still runs, and leave nothing behind."""
        if self.is_alive:
            self._bundle.send(signal.SIGKILL)
            self._process.wait(STOP_SECONDS)
        self._bundle.forget()
