"""Children are kept running, and every one of them is gone at the end."""

import io
import signal
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from embedded import process as child_module
from embedded.console import Console
from embedded.data_folder import DataFolder
from embedded.errors import CannotStart
from embedded.process import wait_done
from embedded.processes import Recorded, start_time, write_records
from embedded.supervisor import Supervisor
from settings import PROJECT_DIR
from tests.embedded.stand_ins import is_alive, program, wait_until

FOREVER = "import time; time.sleep(600)"
STUBBORN = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf'); "


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def supervisor(tmp_path: Path, screen: io.StringIO) -> Generator[Supervisor]:
    folder = DataFolder(tmp_path)
    with folder.held():
        supervisor = Supervisor(folder, Console(folder.logs, screen))
        supervisor.open()
        yield supervisor
        supervisor.haste.set()
        supervisor.close()


def test_a_crashed_child_is_started_again(
    supervisor: Supervisor, screen: io.StringIO, tmp_path: Path
) -> None:
    child = supervisor.start(program("clock", FOREVER, tmp_path))
    wait_until(lambda: child.pid)
    first = child.pid
    child.kill()
    wait_until(lambda: child.pid not in {None, first})
    assert "clock was ended by SIGKILL; starting it again in 1 s" in screen.getvalue()


def test_a_child_that_keeps_crashing_is_reported_with_its_last_words(
    supervisor: Supervisor, screen: io.StringIO, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child_module, "FIRST_DELAY_SECONDS", 0.01)
    supervisor.start(program("s3", "raise SystemExit('no keys')", tmp_path, is_quiet=True))
    wait_until(lambda: "s3 ended 4 times in a row" in screen.getvalue())
    assert "s3 last said: no keys" in screen.getvalue()


def test_the_delay_before_a_restart_doubles_up_to_half_a_minute(
    tmp_path: Path, screen: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = child_module.Process(program("web", "", tmp_path), Console(tmp_path, screen))
    monkeypatch.setattr(child_module.subprocess, "Popen", _no_more_processes)
    for _ in range(7):
        monkeypatch.setattr(child, "_restart_at", 0.0)
        child.tick()
    delays = [
        line.rpartition(" in ")[2] for line in screen.getvalue().splitlines() if "again" in line
    ]
    assert delays == ["1 s", "2 s", "4 s", "8 s", "16 s", "30 s", "30 s"]


def _no_more_processes(*_: object, **__: object) -> None:
    raise BlockingIOError(11, "Resource temporarily unavailable")


def test_a_task_that_is_done_is_not_started_again(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "open('runs', 'a').write('x')"
    child = supervisor.start(program("migrate", code, tmp_path, is_task=True))
    wait_done(child, 10)
    supervisor.close()
    assert (tmp_path / "runs").read_text() == "x"


def test_a_task_that_fails_says_why(supervisor: Supervisor, tmp_path: Path) -> None:
    code = "raise SystemExit('the table is gone')"
    child = supervisor.start(program("migrate", code, tmp_path, is_task=True))
    with pytest.raises(CannotStart, match="migrate failed: the table is gone"):
        wait_done(child, 10)


def test_children_stop_one_by_one_in_the_given_order(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = (
        "import signal, sys, time\n"
        "def stop(*_):\n    open('stops', 'a').write(sys.argv[1] + ' '); sys.exit()\n"
        "signal.signal(signal.SIGTERM, stop); print('up', flush=True); time.sleep(600)"
    )
    for name in ("postgres", "web", "worker-2", "worker"):
        made = program(name, code.replace("sys.argv[1]", repr(name)), tmp_path)
        supervisor.start(made)
    wait_until(
        lambda: all(supervisor.console.last_lines(n, 1) for n in ("postgres", "web", "worker"))
    )
    wait_until(lambda: supervisor.console.last_lines("worker-2", 1))
    supervisor.close(("web", "worker", "postgres"))
    assert (tmp_path / "stops").read_text() == "web worker worker-2 postgres "


def test_a_child_that_does_not_listen_is_killed_with_all_that_it_started(
    supervisor: Supervisor, screen: io.StringIO, tmp_path: Path
) -> None:
    code = (
        f"{STUBBORN} import os, subprocess, sys;"
        f"print(subprocess.Popen([sys.executable, '-c', {FOREVER!r}]).pid); time.sleep(600)"
    )
    child = supervisor.start(program("worker", code, tmp_path, stop_seconds=0.2))
    wait_until(lambda: len(supervisor.console.last_lines("worker", 2)) == 2)
    grandchild = int(supervisor.console.last_lines("worker", 1)[0])
    parent = child.pid
    assert parent is not None
    assert is_alive(grandchild)
    supervisor.close()
    assert "worker did not stop in time and is killed" in screen.getvalue()
    wait_until(lambda: not is_alive(parent) and not is_alive(grandchild))


def test_hurrying_does_not_wait_for_those_who_take_their_time(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = f"{STUBBORN} time.sleep(600)"
    child = supervisor.start(program("worker", code, tmp_path, stop_seconds=500))
    wait_until(lambda: supervisor.console.last_lines("worker", 1))
    supervisor.haste.set()
    supervisor.close()
    assert child.pid is None


def test_children_end_when_their_supervisor_is_killed(tmp_path: Path) -> None:
    code = f"""
import sys
from pathlib import Path
from embedded.console import Console
from embedded.data_folder import DataFolder
from embedded.supervisor import Supervisor
from tests.embedded.stand_ins import program, wait_until
folder = DataFolder(Path({str(tmp_path)!r}))
with folder.held():
    supervisor = Supervisor(folder, Console(folder.logs))
    supervisor.open()
    child = supervisor.start(program("web", {FOREVER!r}, folder.path))
    wait_until(lambda: child.pid)
    print(child.pid, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as supervisor:
        assert supervisor.stdout is not None
        pid = int(supervisor.stdout.readline())
        assert is_alive(pid)
        supervisor.kill()
    wait_until(lambda: not is_alive(pid))


def test_what_a_killed_supervisor_left_is_ended_at_the_next_start(
    tmp_path: Path, screen: io.StringIO
) -> None:
    with _stranger() as left:
        folder = DataFolder(tmp_path)
        record = Recorded("web", left.pid, start_time(left.pid) or "", signal.SIGTERM)
        write_records(folder.processes, [record])
        supervisor = Supervisor(folder, Console(folder.logs, screen))
        supervisor.open()
        supervisor.close()
        assert left.wait() == -signal.SIGTERM
        assert "ended web, left over" in screen.getvalue()


def test_a_stranger_who_has_the_number_of_an_old_child_is_left_alone(tmp_path: Path) -> None:
    with _stranger() as stranger:
        folder = DataFolder(tmp_path)
        earlier = Recorded("web", stranger.pid, "another start", signal.SIGTERM)
        write_records(folder.processes, [earlier])
        supervisor = Supervisor(folder, Console(folder.logs))
        supervisor.open()
        supervisor.close()
        assert stranger.poll() is None
        stranger.kill()


def _stranger() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", FOREVER], start_new_session=True)


def test_a_child_may_open_as_many_files_as_the_system_lets_it(
    supervisor: Supervisor, tmp_path: Path
) -> None:
    code = "import resource; print(*resource.getrlimit(resource.RLIMIT_NOFILE))"
    wait_done(supervisor.start(program("limits", code, tmp_path, is_task=True)), 10)
    wait_until(lambda: supervisor.console.last_lines("limits", 1))
    soft, hard = (int(word) for word in supervisor.console.last_lines("limits", 1)[0].split())
    assert soft == min(hard, 65536)


def test_lines_carry_the_name_of_who_said_them_and_are_kept_in_a_file(
    supervisor: Supervisor, screen: io.StringIO, tmp_path: Path
) -> None:
    wait_done(supervisor.start(program("demo", "print('hello')", tmp_path, is_task=True)), 10)
    wait_until(lambda: "hello" in screen.getvalue())
    assert "demo     | hello" in screen.getvalue().splitlines()
    assert supervisor.console.file_of("demo").read_text() == "hello\n"
