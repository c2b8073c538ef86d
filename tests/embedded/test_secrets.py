"""What other accounts of the machine can learn of a running product: no secret, from nowhere."""

import json
import os
import stat
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from embedded import postgres
from embedded.data_folder import DataFolder
from embedded.stack import Stack
from tests.embedded.stand_ins import wait_until

# Without a sandbox its worker boots no cells, which nothing here is about.
SETTINGS = {"SANDBOX": "bwrap", "BWRAP_PATH": "/bin/false", "LOG_FORMAT": "json"}
LOCALHOST_IN_HEX = "0100007F"
LISTENS = "0A"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Generator[Stack]:
    """The whole product, with every stand-in."""
    place = tmp_path_factory.mktemp("stack") / "data"
    with Stack(place, settings=SETTINGS) as stack:
        # The last to start.
        wait_until(lambda: _worker_said(stack, "worker.started"), seconds=90)
        yield stack
    postgres.forget(DataFolder(place))


def test_no_command_line_has_a_secret(stack: Stack) -> None:
    kept = json.loads((stack.folder.path / "credentials.json").read_text())
    given = stack.environment()
    names = ("S3_ACCESS_KEY_ID", "STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "DATABASE_URL")
    names = (*names, "GOOGLE_CLIENT_SECRET", "TELEGRAM_BOT_TOKEN")
    secrets = {*kept.values(), *(given[name] for name in names)}
    lines = {pid: _command(pid) for pid in _processes()}

    parts = ("fake_stripe", "fake_google", "fake_telegram", "mailbox", "valkey", "rclone")
    for part in (*parts, "gunicorn", "dramatiq"):
        assert any(part in line for line in lines.values()), part
    told = [(line, secret) for line in lines.values() for secret in secrets if secret in line]
    assert told == []


def test_no_file_can_be_read_by_others(stack: Stack) -> None:
    root = stack.folder.path
    (root / "mailbox" / "1.eml").touch()
    open_folders = {root}
    for folder in (path for path in root.iterdir() if path.is_dir()):
        if stat.S_IMODE(folder.resolve().stat().st_mode) != 0o700:
            open_folders.add(folder)
    assert open_folders == {root}
    assert stat.S_IMODE(root.stat().st_mode) == 0o711
    files = [*root.glob("stripe/*"), *root.glob("telegram/*"), root / "credentials.json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_everything_listens_on_this_machine_alone(stack: Stack) -> None:
    sockets = {name for pid in _processes() for name in _sockets(pid)}
    found = {address for address, inode in _listening() if f"socket:[{inode}]" in sockets}

    assert stack.port in {int(address.rpartition(":")[2], 16) for address in found}
    assert {address.partition(":")[0] for address in found} == {LOCALHOST_IN_HEX}


def test_a_worker_without_walls_lives_on_without_cells(stack: Stack) -> None:
    meaning = "no bubblewrap works on this machine. This worker answers nobody."

    assert meaning in _worker_said(stack, "sandbox.none")
    with psycopg.connect(stack.environment()["DATABASE_URL"], autocommit=True) as database:
        told = "SELECT sandbox, capacity, spare, hot, busy FROM workers WHERE sandbox <> ''"
        wait_until(
            lambda: database.execute(told).fetchone() == ("no cells", 0, 0, 0, 0), seconds=60
        )


def _worker_said(stack: Stack, event: str) -> str:
    log = stack.folder.logs / "worker.log"
    lines = log.read_text().splitlines() if log.exists() else []
    return next((line for line in lines if event in line), "")


def _processes() -> list[int]:
    """Everything that this process has started, and what that has started."""
    found, todo = list[int](), [os.getpid()]
    while todo:
        for child in _children(todo.pop()):
            found.append(child)
            todo.append(child)
    return found


def _children(pid: int) -> list[int]:
    try:
        return [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except OSError:
        return []


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def _sockets(pid: int) -> list[str]:
    try:
        return [str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()]
    except OSError:
        return []


def _listening() -> list[tuple[str, str]]:
    """Every address that somebody listens on here, and its socket's inode."""
    lines = [
        line.split()
        for name in ("tcp", "tcp6")
        for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return [(words[1], words[9]) for words in lines if words[3] == LISTENS]
