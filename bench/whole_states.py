"""What else could save a person's files: a whole archive each time, and a backup program."""

import io
import json
import os
import shutil
import sqlite3
import statistics
import subprocess
import tarfile
import time
from collections.abc import Callable
from typing import Any, Self

import zstandard

from gateways.s3_files import Storage
from settings import Settings
from tests.agent.state.relay import Relay

SAVES = 3


class TarZst:
    """The database by SQLite's backup, all files in one archive, one upload."""

    name = "whole tar.zst"

    def __init__(self, settings: Settings, relay: Relay) -> None:
        self._storage, self._relay = Storage(settings), relay

    def measure(self, turn: Callable[[], None]) -> tuple[float, float]:
        """Return the medians of kilobytes and seconds."""
        return _medians(turn, self._save)

    def _save(self) -> float:
        copy = self._relay.root / "bench-copy.sqlite"
        source, target = sqlite3.connect(self._relay.database), sqlite3.connect(copy)
        source.backup(target)
        source.close()
        target.close()
        packed = io.BytesIO()
        with (
            zstandard.ZstdCompressor(level=3).stream_writer(packed, closefd=False) as stream,
            tarfile.open(fileobj=stream, mode="w|") as archive,
        ):
            archive.add(copy, "database")
            archive.add(self._relay.root / "workspace", "workspace")
        copy.unlink()
        self._storage.put("bench/whole.tar.zst", packed.getvalue())
        return len(packed.getvalue()) / 1024


class Restic:
    """restic, into the same S3 store."""

    name = "restic"

    def __init__(self, program: str, settings: Settings, relay: Relay) -> None:
        key, secret = settings.s3_access_key_id, settings.s3_secret_access_key
        assert key is not None
        assert secret is not None
        self._program, self._relay = program, relay
        self._environment = {
            "PATH": os.defpath,
            "HOME": str(relay.root.parent),
            "RESTIC_PASSWORD": "bench",
            "RESTIC_REPOSITORY": f"s3:{settings.s3_endpoint_url}/{settings.s3_bucket}/restic"
            f"-{relay.root.parent.name}",
            "AWS_ACCESS_KEY_ID": key.get_secret_value(),
            "AWS_SECRET_ACCESS_KEY": secret.get_secret_value(),
        }

    @classmethod
    def find(cls, settings: Settings, relay: Relay) -> Self | None:
        """Return it, if it is installed."""
        program = shutil.which("restic")
        return cls(program, settings, relay) if program else None

    def measure(self, turn: Callable[[], None]) -> tuple[float, float]:
        """Return the medians of kilobytes and seconds, after a first whole backup."""
        self._run("init")
        self._save()
        return _medians(turn, self._save)

    def _save(self) -> float:
        lines = self._run("backup", "--json", str(self._relay.root)).splitlines()
        summary: dict[str, Any] = json.loads(lines[-1])
        return summary.get("data_added_packed", summary["data_added"]) / 1024

    def _run(self, *words: str) -> str:
        done = subprocess.run(
            [self._program, *words], env=self._environment, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()


def _medians(turn: Callable[[], None], save: Callable[[], float]) -> tuple[float, float]:
    seconds: list[float] = []
    kilobytes: list[float] = []
    for _ in range(SAVES):
        turn()
        began = time.perf_counter()
        kilobytes.append(save())
        seconds.append(time.perf_counter() - began)
    return statistics.median(kilobytes), statistics.median(seconds)
