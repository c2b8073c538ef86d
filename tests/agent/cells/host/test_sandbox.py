"""What can be reached from inside of a cell. Each try is also made outside, where it succeeds."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from agent import engine
from agent.cells.host.cell_paths import CellPaths, Mode
from agent.cells.host.probe import NoSandbox, best_sandbox
from agent.cells.host.sandbox import Sandbox
from agent.cells.host.worker_dir import WorkerDir
from agent.cells.io.sockets import CellSockets
from agent.engine import Engine
from settings import Settings

SECRET = "a-key-that-no-cell-may-see"
NOBODY = 65534
# Tries everything that its argument names, and tells what it got, as JSON.
PROBE = """
import fs from 'node:fs'; import net from 'node:net'; import process from 'node:process';
const aims = JSON.parse(process.argv[1]);
const got = {};
async function attempt(name, work) {
  try { got[name] = await work(); } catch (error) { got[name] = 'refused: ' + error.code; }
}
function talk(where) {
  return new Promise((resolve, reject) => {
    const call = net.connect(where, () => { call.destroy(); resolve('reached'); });
    call.on('error', reject); call.setTimeout(2000, () => reject({code: 'TIMEOUT'}));
  });
}
await attempt('file', () => fs.readFileSync(aims.file, 'utf8'));
await attempt('folder', () => fs.readdirSync(aims.folder).length > 0 && 'listed');
await attempt('write', () => { fs.writeFileSync(aims.write, 'x'); return 'written'; });
await attempt('link', () => {
  const link = aims.own + '/link'; fs.rmSync(link, {force: true});
  fs.symlinkSync(aims.file, link); return fs.readFileSync(link, 'utf8');
});
await attempt('environment', () => {
  for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
    try {
      const text = fs.readFileSync(`/proc/${pid}/environ`, 'utf8');
      if (text.includes(aims.secret.slice(1))) return 'read';
    } catch {}
  }
  return 'refused: not seen';
});
await attempt('network', () => talk({host: '127.0.0.1', port: aims.port}));
await attempt('socket', () => talk({path: aims.socket}));
await attempt('signal', () => {
  const status = fs.readFileSync(`/proc/${aims.pid}/cmdline`, 'utf8');
  if (!status.includes(aims.command)) throw {code: 'OTHER'};
  process.kill(aims.pid, 0); return 'signalled';
});
got.environment_of_mine = Object.keys(process.env);
got.uid = process.getuid();
got.status = fs.readFileSync('/proc/self/status', 'utf8');
got.interfaces = fs.readFileSync('/proc/net/dev', 'utf8');
console.log(JSON.stringify(got));
"""
TRIES = ("file", "folder", "write", "link", "environment", "network", "socket", "signal")


@dataclass
class World:
    """A worker with two cells: Ada's, which has a secret, and Eve's, which wants it."""

    sandbox: Sandbox
    engine: Engine
    worker_dir: WorkerDir
    adas: CellPaths
    eves: CellPaths
    aims: dict[str, Any]

    def from_the_cell(self) -> dict[str, Any]:
        node = self.sandbox.inside(self.eves, self.engine).node
        command = self.sandbox.command(self.eves, self.engine, [node, *self._probe("/cell")])
        return _run(command, {"PATH": "/opt"}, self.eves.state)

    def from_outside(self) -> dict[str, Any]:
        own = str(self.eves.state)
        return _run([str(self.engine.node), *self._probe(own)], {}, None)

    def _probe(self, own: str) -> list[str]:
        return ["--input-type=module", "-e", PROBE, json.dumps({**self.aims, "own": own})]


def _run(command: list[str], environment: dict[str, str], folder: Path | None) -> dict[str, Any]:
    done = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture
def world(settings: Settings, tmp_path: Path) -> Generator[World]:
    sandbox = best_sandbox(settings)
    if not sandbox.mode.has_namespaces:
        pytest.skip("no namespaces on this machine")
    found = engine.find(settings)
    assert found is not None
    given = settings.model_copy(update={"cells_dir": tmp_path / "cells"})
    worker_dir = WorkerDir(given, sandbox.mode)
    adas, eves = worker_dir.new_place(), worker_dir.new_place()
    secret = adas.state / "MEMORY.md"
    secret.write_text(SECRET)
    adas.give(secret, sandbox.mode)
    sockets = CellSockets(adas)
    with socket.create_server(("127.0.0.1", 0)) as server, _worker() as worker:
        aims = {
            "file": str(secret),
            "folder": str(given.cells_dir),
            "write": str(tmp_path / "written"),
            # Without its first letter, or the probe would find its own arguments.
            "secret": SECRET,
            "port": server.getsockname()[1],
            "socket": str(adas.listeners / "gateway"),
            "pid": worker.pid,
            "command": "WORKER_KEY",
        }
        yield World(sandbox, found, worker_dir, adas, eves, aims)
        worker.kill()
    sockets.close()
    worker_dir.close()


def _worker() -> subprocess.Popen[bytes]:
    """A process with a key in its environment, like the worker itself."""
    program = "import time; 'WORKER_KEY'; time.sleep(600)"
    return subprocess.Popen([sys.executable, "-c", program], env={"WORKER_KEY": SECRET})


def test_outside_of_a_cell_all_of_it_can_be_reached(world: World) -> None:
    got = world.from_outside()

    assert {name: got[name] for name in TRIES} == {
        "file": SECRET,
        "folder": "listed",
        "write": "written",
        "link": SECRET,
        "environment": "read",
        "network": "reached",
        "socket": "reached",
        "signal": "signalled",
    }


def test_inside_of_a_cell_none_of_it_can_be_reached(world: World) -> None:
    got = world.from_the_cell()

    assert {name: got[name] for name in TRIES if not got[name].startswith("refused")} == {}
    assert not Path(world.aims["write"]).exists()


def test_a_cell_has_no_rights_and_no_environment_but_its_own(world: World) -> None:
    got = world.from_the_cell()
    status = dict(line.split(":\t") for line in got["status"].splitlines())

    assert got["environment_of_mine"] == ["PATH", "PWD"]
    assert got["uid"] not in {0, os.getuid()} or world.sandbox.mode is Mode.USER
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0
    if world.sandbox.mode is Mode.ROOT:
        assert got["uid"] == world.eves.uid != world.adas.uid
        assert int(status["CapBnd"], 16) == 0
        assert status["Groups"].strip() == ""
    assert [line.split(":")[0].strip() for line in got["interfaces"].splitlines()[2:]] == ["lo"]


@pytest.mark.parametrize("path", ["/x", "/usr/x", "/etc/passwd", "/opt/relay.mjs", "/sockets/x"])
def test_a_cell_can_write_only_to_its_own_folder(world: World, path: str) -> None:
    write = f"echo x > {path}"
    own = "echo x > /cell/x && echo x > /tmp/x"
    shell = ["/bin/sh", "-c"]

    assert _status(world.sandbox.command(world.eves, None, [*shell, write]), world) != 0
    assert _status(world.sandbox.command(world.eves, None, [*shell, own]), world) == 0
    assert (world.eves.state / "x").read_text() == "x\n"


def _status(command: list[str], world: World) -> int:
    return subprocess.run(
        command, env={}, cwd=world.eves.state, capture_output=True, check=False
    ).returncode


@pytest.mark.parametrize(
    "program",
    [
        ["unshare", "--user", "/bin/true"],
        ["unshare", "--user", "--map-root-user", "--net", "--mount", "/bin/true"],
        ["unshare", "--ipc", "/bin/true"],
        ["nsenter", "--target", "1", "--user", "/bin/true"],
    ],
)
def test_a_cell_makes_no_namespaces(world: World, program: list[str]) -> None:
    whole = [f"/usr/bin/{program[0]}", *program[1:]]
    if not Path(whole[0]).exists():
        pytest.skip(f"{whole[0]} is not here")

    assert _status(world.sandbox.command(world.eves, None, ["/bin/true"]), world) == 0
    assert _status(world.sandbox.command(world.eves, None, whole), world) == 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become somebody else")
def test_without_root_bubblewrap_itself_forbids_further_user_namespaces(
    world: World, passable_folder: Path
) -> None:
    """Twice refused: here the filter is not on yet."""
    cell = CellPaths(passable_folder / "cell", NOBODY)
    cell.create(Mode.USER)
    subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(cell.folder)], check=True)
    command = Sandbox(Mode.USER, world.sandbox.bwrap).command(cell, None, [])
    walls = command[: command.index("--") + 1]
    # This interpreter's home may be closed to them, and nothing here needs it.
    home = ["--ro-bind", sys.base_prefix, sys.base_prefix]
    at = next((at for at in range(len(walls)) if walls[at : at + 3] == home), len(walls))
    walls = walls[:at] + walls[at + 3 :]

    assert _as_nobody([*walls, "/bin/true"]) == (0, "")
    code, said = _as_nobody([*walls, "/usr/bin/unshare", "--user", "/bin/true"])
    assert code == 1
    assert "No space left on device" in said


def _as_nobody(command: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        command,
        env={},
        cwd="/",
        user=NOBODY,
        group=NOBODY,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_a_cell_ends_with_its_worker(world: World, tmp_path: Path) -> None:
    """When the worker is killed, nothing of its cells goes on running."""
    command = world.sandbox.command(world.eves, None, ["/bin/sleep", "123456"])
    starter = (
        "import subprocess, sys, time\n"
        "subprocess.Popen(sys.argv[1:], start_new_session=True)\n"
        "time.sleep(600)"
    )
    worker = subprocess.Popen([sys.executable, "-c", starter, *command])
    _wait_for_sleepers(1)

    worker.kill()
    worker.wait()

    _wait_for_sleepers(0)


def _wait_for_sleepers(count: int) -> None:
    # Two arguments and nothing around them: the sleeper itself, not those who start it.
    wanted = b"/bin/sleep\x00123456\x00"
    for _ in range(1_000_000):
        seen = 0
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                seen += (folder / "cmdline").read_bytes() == wanted
            except OSError:
                continue
        if seen == count:
            return
    pytest.fail(f"never saw {count} sleepers")


def test_settings_that_ask_for_walls_get_walls_or_nothing(
    settings: Settings, tmp_path: Path
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)

    with pytest.raises(NoSandbox):
        best_sandbox(settings.model_copy(update={"sandbox": "bwrap", "bwrap_path": broken}))


def test_a_bubblewrap_that_only_pretends_is_not_believed(
    settings: Settings, tmp_path: Path
) -> None:
    """It runs the program, but puts no walls around it."""
    pretending = tmp_path / "bwrap"
    pretending.write_text('#!/bin/sh\nwhile [ "$1" != "--" ]; do shift; done\nshift\nexec "$@"\n')
    pretending.chmod(0o755)

    with pytest.raises(NoSandbox):
        best_sandbox(settings.model_copy(update={"sandbox": "bwrap", "bwrap_path": pretending}))


@pytest.mark.skipif(os.getuid() != 0, reason="only root can change uids")
def test_without_walls_a_cell_still_has_a_uid_of_its_own(settings: Settings) -> None:
    sandbox = best_sandbox(settings.model_copy(update={"sandbox": "uid"}))

    assert sandbox.mode is Mode.UID
    assert not sandbox.mode.has_namespaces
