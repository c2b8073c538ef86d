"""`python -m embedded`, what `make run` becomes: one terminal from start to Ctrl-C."""

import contextlib
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Generator
from pathlib import Path

import pytest

from embedded import postgres
from embedded.data_folder import DataFolder
from embedded.environ import environ
from embedded.processes import end_recorded
from settings import PROJECT_DIR
from tests.embedded.stand_ins import is_alive, processes_naming, wait_until

# No turn runs that a stop would wait for.
WITHOUT_TURNS = {"WORKER_DRAIN_SECONDS": "1"}
START_SECONDS = 90.0
STOP_SECONDS = 60.0


class Terminal:
    """A run of the whole stack, as seen by whoever started it."""

    def __init__(self, data_dir: Path, port: str = "0") -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "embedded"],
            cwd=PROJECT_DIR,
            env=environ() | WITHOUT_TURNS | {"DATA_DIR": str(data_dir), "PORT": port},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def wait_for(self, pattern: str, seconds: float = START_SECONDS) -> re.Match[str]:
        """Wait until a line has this in it."""
        wait_until(lambda: self._search(pattern) or self.process.poll() is not None, seconds)
        found = self._search(pattern)
        assert found, "\n".join(self.lines)
        return found

    def end(self) -> int:
        """Wait for the end and return the exit code; `lines` is then complete."""
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pytest.fail("It does not stop. It said:\n" + "\n".join(self.lines))
        self._reader.join(5)
        return code

    def _search(self, pattern: str) -> re.Match[str] | None:
        return next(filter(None, (re.search(pattern, line) for line in list(self.lines))), None)

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(line.rstrip() for line in iter(self.process.stdout.readline, ""))


@pytest.fixture
def place(tmp_path: Path) -> Generator[Path]:
    """A data folder; whatever a failed test left running on it is ended."""
    folder = DataFolder(tmp_path / "data")
    yield folder.path
    end_recorded(folder.processes)
    postgres.forget(folder)


@contextlib.contextmanager
def _started(place: Path, port: str = "0") -> Generator[Terminal]:
    terminal = Terminal(place, port)
    try:
        yield terminal
    finally:
        terminal.process.kill()
        terminal.process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/healthz", timeout=2) as response:
            return response.status == 200
    except OSError:
        return False


def _ours(place: Path) -> list[int]:
    homes = {str(place), str((place / "postgres").resolve())}
    return [pid for home in homes for pid in processes_naming(home)]


def test_it_says_where_the_site_is_and_a_signal_stops_everything(place: Path) -> None:
    with _started(place) as terminal:
        url = terminal.wait_for(r" is ready: (http://127\.0\.0\.1:\d+)$").group(1)
        assert _answers(url)
        phone = terminal.wait_for(r"a phone .* is here: (http://127\.0\.0\.1:\d+/\w+/)$").group(1)
        with urllib.request.urlopen(phone, timeout=5) as shown:
            assert b"Who are you?" in shown.read()

        second = Terminal(place)
        assert second.end() == 1
        assert len(second.lines) == 1
        assert f"process {terminal.process.pid}" in second.lines[0]

        port = url.rpartition(":")[2]
        elsewhere = Terminal(place.with_name("other"), port)
        assert elsewhere.end() == 1
        assert len(elsewhere.lines) == 1
        assert elsewhere.lines[0].startswith(f"Port {port} is in use by another program: ")
        assert not place.with_name("other").exists()

        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0
        stopped = [line.split()[-1] for line in terminal.lines if "| stopping " in line]
        assert stopped[0] == "web"
        assert stopped[-4:] == ["s3", "valkey", "postgres", "example-web"]
        assert not _answers(url)
        assert _ours(place) == []


# What follows a kill is tested in parts too: test_keeper.py, test_services.py.
@pytest.mark.long
def test_a_killed_supervisor_leaves_nothing_that_stops_the_next_one(place: Path) -> None:
    with _started(place) as killed:
        url = killed.wait_for(r" is ready: (http://127\.0\.0\.1:\d+)$").group(1)
        port = url.rpartition(":")[2]
        left = _ours(place)
        assert left
        killed.process.kill()
        killed.process.wait()
    with _started(place, port) as again:
        again.wait_for(" is ready: ")
        assert _answers(url)
        assert not any(is_alive(pid) for pid in left)
        again.process.terminate()
        assert again.end() == 0
        assert _ours(place) == []


@pytest.mark.long
def test_a_killed_website_comes_back_on_the_same_port(place: Path) -> None:
    with _started(place) as terminal:
        url = terminal.wait_for(r" is ready: (http://127\.0\.0\.1:\d+)$").group(1)
        [web] = [pid for pid in _children(terminal.process.pid) if "gunicorn" in _command(pid)]
        subprocess.run(["kill", "-9", str(web)], check=True)
        terminal.wait_for("web was ended by SIGKILL; starting it again in 1 s")
        wait_until(lambda: _answers(url), START_SECONDS)
        terminal.process.terminate()
        assert terminal.end() == 0


def test_a_signal_while_it_starts_stops_it_cleanly(place: Path) -> None:
    with _started(place) as terminal:
        terminal.wait_for("bringing the database")
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0
        assert _ours(place) == []


@pytest.mark.parametrize("has_account", [False, True])
def test_the_stand_in_for_stripe_is_there_only_without_an_account(
    place: Path, monkeypatch: pytest.MonkeyPatch, has_account: bool
) -> None:
    for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET"):
        monkeypatch.delenv(name, raising=False)
        if has_account:
            monkeypatch.setenv(name, "any")
    with _started(place) as terminal:
        terminal.wait_for("bringing the database")
        commands = [_command(pid) for pid in _children(terminal.process.pid)]
        assert any("fake_stripe" in command for command in commands) is not has_account
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0


@pytest.mark.parametrize(
    ("given", "is_there"),
    [
        ({}, True),
        ({"GOOGLE_CLIENT_ID": "mine", "GOOGLE_CLIENT_SECRET": "any"}, False),
        # It would sign in anybody as anybody.
        ({"PUBLIC_URL": "https://shellmate.example"}, False),
    ],
)
def test_the_stand_in_for_google_is_there_only_without_a_client_and_on_ones_own_machine(
    place: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], is_there: bool
) -> None:
    for name in ("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with _started(place) as terminal:
        terminal.wait_for("bringing the database")
        commands = [_command(pid) for pid in _children(terminal.process.pid)]
        assert any("fake_google" in command for command in commands) is is_there
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0


@pytest.mark.parametrize(
    ("given", "is_there"),
    [
        ({}, True),
        ({"TELEGRAM_BOT_TOKEN": "1:mine"}, False),
        # Whoever has its page can be anybody on it.
        ({"PUBLIC_URL": "https://shellmate.example"}, False),
    ],
)
def test_the_stand_in_for_telegram_is_there_only_without_a_token_and_on_ones_own_machine(
    place: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], is_there: bool
) -> None:
    for name in ("TELEGRAM_BOT_TOKEN", "PUBLIC_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with _started(place) as terminal:
        terminal.wait_for("bringing the database")
        commands = [_command(pid) for pid in _children(terminal.process.pid)]
        assert any("fake_telegram" in command for command in commands) is is_there
        terminal.process.send_signal(signal.SIGINT)
        assert terminal.end() == 0


@pytest.mark.parametrize("port", ["web", "70000", "-1"])
def test_a_port_that_is_none_is_refused(place: Path, port: str) -> None:
    terminal = Terminal(place, port)
    assert terminal.end() == 1
    assert terminal.lines == [f"PORT must be a number up to 65535, not {port!r}."]


def test_a_setting_that_is_not_valid_is_named(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARGIN_PERCENT", "5")
    terminal = Terminal(place)
    assert terminal.end() == 1
    assert terminal.lines[-1].startswith("The setting MARGIN_PERCENT is not valid: ")
    assert _ours(place) == []


def test_a_port_held_by_a_stranger_is_left_to_them(place: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        terminal = Terminal(place, str(stranger.getsockname()[1]))
        assert terminal.end() == 1
        assert "is in use by another program" in terminal.lines[0]


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def _command(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
