"""PostgreSQL as an ordinary process: where its programs and data lie, and how it is started."""

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from embedded.account import Account, unprivileged_account
from embedded.data_folder import DataFolder
from embedded.errors import CannotStart
from embedded.ports import LOCALHOST
from embedded.postgres_home import elsewhere, find_data, find_programs, major_version, number_in
from embedded.process import Program
from embedded.processes import command_of, end_process

USER = "shellmate"
DATABASE = "shellmate"
BUILTIN_LOCALE_SINCE = 17


@dataclass(frozen=True)
class Postgres:
    """A prepared PostgreSQL: programs, data and port, not started yet."""

    bin_dir: Path
    data_dir: Path
    account: Account | None
    port: int
    password: str
    is_durable: bool

    @property
    def url(self) -> str:
        return url(self.port, self.password)

    def program(self) -> Program:
        """Return how to run it. It listens on 127.0.0.1 alone, and only with the password."""
        return Program(
            name="postgres",
            command=(str(self.bin_dir / "postgres"), "-D", str(self.data_dir), *self._options()),
            environment=_environment(),
            directory=self.data_dir,
            is_ready=self._answers,
            account=self.account,
            # Ends sessions and stops at once; SIGTERM would wait for clients.
            stop_signal=signal.SIGINT,
            stop_seconds=20,
            is_quiet=True,
        )

    def create_database(self) -> None:
        """Make the product's database if it is missing."""
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            known = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(known, (DATABASE,)).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def _options(self) -> list[str]:
        settings = {
            "listen_addresses": LOCALHOST,
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
        }
        if not self.is_durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]

    def _answers(self) -> bool:
        try:
            psycopg.connect(self._url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def _url(self, database: str) -> str:
        return url(self.port, self.password, database)


def url(port: int, password: str, database: str = DATABASE) -> str:
    """Return the address of a database on this machine."""
    return f"postgresql://{USER}:{password}@{LOCALHOST}:{port}/{database}"


def prepare(folder: DataFolder, *, is_durable: bool) -> Postgres:
    """Find or make the data of this folder. May raise CannotStart.

    Data made by another major version is refused, never touched.
    """
    link = folder.path / "postgres"
    account = unprivileged_account(link)
    bin_dir = find_programs(account)
    if link.exists() and not folder.has_credentials():
        raise CannotStart(
            f"{folder.path} has a database and its credentials.json is missing: restore the file, "
            "or move the folder away to start afresh."
        )
    postgres = Postgres(
        bin_dir=bin_dir,
        data_dir=find_data(folder, account),
        account=account,
        port=folder.port("postgres"),
        password=folder.secret("database_password"),
        is_durable=is_durable,
    )
    if not postgres.data_dir.exists():
        _initialise(postgres)
    _check_version(postgres)
    _remove_stale_pid_file(postgres.data_dir)
    return postgres


def forget(folder: DataFolder) -> None:
    """Remove the database of this folder, wherever it lies. It must be stopped."""
    link = folder.path / "postgres"
    shutil.rmtree(link.resolve(), ignore_errors=True)
    if link.is_symlink():
        shutil.rmtree(elsewhere(folder), ignore_errors=True)
        link.unlink()


def _initialise(postgres: Postgres) -> None:
    """Make an empty cluster aside and move it into place, so that a half-made one is never used."""
    aside = postgres.data_dir.with_name("postgres.new")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    password_file = aside.with_name(f"{secrets.token_hex(8)}.password")
    try:
        password_file.touch(mode=0o600)
        password_file.write_text(postgres.password)
        if postgres.account is not None:
            for path in (aside, password_file):
                os.chown(path, postgres.account.uid, postgres.account.gid)
        _run_initdb(replace(postgres, data_dir=aside), password_file)
        aside.rename(postgres.data_dir)
    finally:
        password_file.unlink(missing_ok=True)
        shutil.rmtree(aside, ignore_errors=True)


def _run_initdb(postgres: Postgres, password_file: Path) -> None:
    command = [
        str(postgres.bin_dir / "initdb"),
        f"--pgdata={postgres.data_dir}",
        f"--username={USER}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        *_locale_flags(postgres.bin_dir),
        *([] if postgres.is_durable else ["--no-sync"]),
    ]
    account = postgres.account
    ran = subprocess.run(
        command,
        cwd=postgres.data_dir,
        env=_environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        raise CannotStart(f"PostgreSQL could not make its data folder: {_last_line(ran.stderr)}")


def _locale_flags(bin_dir: Path) -> list[str]:
    # The same order of text on every machine, whatever its own locales are.
    if major_version(bin_dir) >= BUILTIN_LOCALE_SINCE:
        return ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C.UTF-8"]
    return ["--locale=C.UTF-8"]


def _check_version(postgres: Postgres) -> None:
    made_by = number_in((postgres.data_dir / "PG_VERSION").read_text())
    found = major_version(postgres.bin_dir)
    if made_by != found:
        raise CannotStart(
            f"The database in {postgres.data_dir} was made by PostgreSQL {made_by}, and this is "
            f"{found}: set APP_PG_BIN to the older one's programs, or move the folder away."
        )


def _remove_stale_pid_file(data_dir: Path) -> None:
    """Make way for a start after a crash.

    PostgreSQL refuses to start when the number in its pid file belongs to any process of its
    account, which after a restart of the machine may be somebody else's.
    """
    pid_file = data_dir / "postmaster.pid"
    if not pid_file.exists():
        return
    pid = number_in(pid_file.read_text())
    if str(data_dir) in command_of(pid):
        end_process(pid, signal.SIGINT)
    pid_file.unlink(missing_ok=True)


def _environment() -> dict[str, str]:
    # Nothing of the product's secrets is passed on.
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
