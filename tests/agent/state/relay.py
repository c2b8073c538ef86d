"""A cell's relay with a real SQLite beside it, and nothing else of a cell."""

import json
import os
import socket
import sqlite3
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from agent import engine
from agent.cells.host.sandbox import RELAY
from agent.state import DATABASE
from embedded.ports import free_port
from settings import Settings


class Relay:
    """Its folder, where a test plays the assistant, and the socket that the worker asks at."""

    def __init__(self, folder: Path) -> None:
        self.root, self.socket_path = folder / "cell", folder / "files"
        self.database = self.root / DATABASE
        self.database.parent.mkdir(parents=True)

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the workspace, long enough ago for its times to be believed."""
        path = self.root / "workspace" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    @contextmanager
    def open_database(self) -> Generator[sqlite3.Connection]:
        """Open the database as OpenClaw has it: with a log beside it that is never put away."""
        database = sqlite3.connect(self.database, isolation_level=None)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA wal_autocheckpoint = 0")
        try:
            yield database
        finally:
            database.close()


@contextmanager
def started(settings: Settings, folder: Path) -> Generator[Relay]:
    """Run the relay as a cell does, with a program that only waits in place of the gateway."""
    relay = Relay(folder)
    node = engine.find_node(settings)
    assert node is not None
    with socket.socket(socket.AF_UNIX) as files, socket.socket(socket.AF_UNIX) as gateway:
        for listening, name in ((files, "files"), (gateway, "gateway")):
            listening.bind(str(folder / name))
            listening.listen()
        own = {
            "home": str(relay.root),
            "meterSocket": str(folder / "meter"),
            "meterPort": free_port(),
            "toolsSocket": str(folder / "tools"),
            "toolsPort": free_port(),
            "gatewayPort": free_port(),
            "gatewayFd": gateway.fileno(),
            "filesFd": files.fileno(),
            "graceMs": 0,
        }
        with subprocess.Popen(
            [node, RELAY, node, "--eval", "setInterval(() => {}, 1e9)"],
            env={"CELL_RELAY": json.dumps(own), "PATH": os.defpath},
            stdin=subprocess.PIPE,
            pass_fds=(files.fileno(), gateway.fileno()),
        ) as process:
            yield relay
            process.communicate()
