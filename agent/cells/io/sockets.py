"""The sockets that lead into a cell and out of it."""

import os
import socket
from pathlib import Path

from agent.cells.host.cell_paths import CellPaths

METER = "meter"
TOOLS = "tools"
GATEWAY = "gateway"
FILES = "files"
WAITING_CALLS = 64


class CellSockets:
    """A cell's sockets, by paths that are short enough for a socket wherever its folder is.

    The worker makes the ends that the cell listens on and hands them down; the cell has no path to
    them, so it can put nothing else in their place.
    """

    def __init__(self, place: CellPaths) -> None:
        self._sockets = os.open(place.sockets, os.O_PATH | os.O_DIRECTORY)
        self._listeners = os.open(place.listeners, os.O_PATH | os.O_DIRECTORY)
        self.meter = Path(f"/proc/self/fd/{self._sockets}/{METER}")
        self.tools = Path(f"/proc/self/fd/{self._sockets}/{TOOLS}")
        self.gateway = f"/proc/self/fd/{self._listeners}/{GATEWAY}"
        self.files = f"/proc/self/fd/{self._listeners}/{FILES}"
        self._listening = (_listen(self.gateway), _listen(self.files))

    @property
    def handed_down(self) -> tuple[int, int]:
        """The file descriptors of the gateway and the files, for the cell to listen on."""
        gateway, files = self._listening
        return gateway.fileno(), files.fileno()

    def hand_over(self) -> None:
        """Close our copies of the listening ends: the cell has its own now."""
        for listening in self._listening:
            listening.close()

    def close(self) -> None:
        """Close all; the files go with the cell's folder."""
        self.hand_over()
        os.close(self._sockets)
        os.close(self._listeners)


def _listen(path: str) -> socket.socket:
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen(WAITING_CALLS)
    return listening


def free_port() -> int:
    """Return a loopback port that nobody uses now, for cells without a network of their own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
