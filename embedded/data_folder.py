"""The folder that holds everything embedded: data, credentials, chosen ports, logs.

One supervisor at a time may hold it. The lock is the system's (flock): it is free the moment its
holder dies, so a killed supervisor never blocks the next one.
"""

import fcntl
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from embedded.errors import CannotStart, in_one_sentence
from embedded.ports import free_port, reserve

NEEDED_BYTES = 300 * 1024 * 1024


class DataFolder:
    """A held data folder: what is asked of it by name is made once and then kept."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.processes = self.path / "processes.json"
        self._credentials = self.path / "credentials.json"
        self._ports = self.path / "ports.json"

    @contextmanager
    def held(self) -> Generator[None]:
        """Hold the folder, making it if need be.

        Raises CannotStart when another supervisor holds it, it cannot be written, or the disk has
        less than 300 MB left.
        """
        was_there = self.path.exists()
        try:
            self.logs.mkdir(parents=True, exist_ok=True)
            # Others may pass through (PostgreSQL's account must) but not look around.
            self.path.chmod(0o711)
            self.logs.chmod(0o700)
            lock = (self.path / "lock").open("a+")
        except OSError as trouble:
            raise CannotStart(in_one_sentence(trouble)) from trouble
        with lock:
            self._take(lock)
            try:
                self._check_space()
                yield
            except CannotStart:
                # Whoever never got as far as making data leaves no trace.
                if not was_there and not self.has_credentials():
                    shutil.rmtree(self.path, ignore_errors=True)
                raise

    def secret(self, name: str) -> str:
        """Return a random secret, the same one every time (64 hexadecimal digits)."""
        kept = self._read(self._credentials)
        if name not in kept:
            kept[name] = secrets.token_hex(32)
            self._write(self._credentials, kept)
        return str(kept[name])

    def short_id(self) -> str:
        """Return eight characters that name this folder's data, for places outside it."""
        return hashlib.sha256(self.secret("folder").encode()).hexdigest()[:8]

    def has_credentials(self) -> bool:
        """Tell whether secrets were made here before."""
        return self._credentials.exists()

    def port(self, name: str) -> int:
        """Return a free port for an internal service, the one of last time where possible."""
        known = self.known_port(name)
        if known is not None:
            with suppress(OSError):
                return reserve(known)
        chosen = free_port()
        self._write(self._ports, {**self._read(self._ports), name: chosen})
        return chosen

    def known_port(self, name: str) -> int | None:
        """Return the port that an internal service had last time, or has now."""
        known = self._read(self._ports).get(name)
        return known if isinstance(known, int) else None

    def _take(self, lock: IO[str]) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as trouble:
            lock.seek(0)
            holder = lock.read().strip() or "unknown"
            raise CannotStart(
                f"Shellmate already runs on {self.path} (process {holder}). Stop it first, or "
                "give this one its own folder and port: DATA_DIR=... PORT=... make run"
            ) from trouble
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()

    def _check_space(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < NEEDED_BYTES:
            raise CannotStart(
                f"The disk is too full: {self.path} has {free // 1024**2} MB left and "
                f"{NEEDED_BYTES // 1024**2} MB are needed."
            )

    @staticmethod
    def _read(path: Path) -> dict[str, object]:
        try:
            return dict(json.loads(path.read_text()))
        except FileNotFoundError:
            return {}
        except ValueError as trouble:
            raise CannotStart(f"{path} is damaged: mend it or restore it.") from trouble

    @staticmethod
    def _write(path: Path, kept: dict[str, object]) -> None:
        aside = path.with_suffix(".next")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(kept, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
