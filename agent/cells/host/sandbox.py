"""The wall around a cell: how a command is started so that it sees its own files and nothing else.

With namespaces a cell has its own processes, mounts, IPC, host name and network (only `lo`), a
read-only system, and an unprivileged uid without any capability. Without them only the uid
separates, and cells of two people never live side by side. In every mode a filter leaves it the
system calls that it needs; from inside of the walls the launcher gives up all rights and puts the
filter on, then becomes the cell's program.
"""

import json
import os
import sys
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from agent.engine import Engine
from untrusted import launcher
from untrusted.seccomp import CELLS, program
from untrusted.walls import KEPT_RIGHTS, SYSTEM_FOLDERS, system

RELAY = Path(__file__).parents[1] / "relay.mjs"
# What the relay imports from beside itself.
RELAY_STATE = Path(__file__).parents[1] / "state.mjs"
RELAY_SURGERY = Path(__file__).parents[1] / "surgery.mjs"
# What is tried from inside before a worker trusts its walls.
INSIDE_PROBE = Path(__file__).with_name("inside_probe.py")
LAUNCHER = Path(launcher.__file__)
# The cell's filter of system calls, in the folder that it may read.
CALLS = "calls.bpf"
# Of the whole cell; V8's own heap limit is far below.
PROCESSES = 256
OPEN_FILES = 4096
TMP_BYTES = 256 * 1024 * 1024
# The uid that a cell sees itself under when a user namespace maps it.
MAPPED_UID = 1000


class Mode(StrEnum):
    """What separates cells from each other and from the worker."""

    ROOT = "namespaces, own uid"
    USER = "user namespace"
    UID = "own uid only"
    PROCESS = "nothing but the process"

    @property
    def has_namespaces(self) -> bool:
        return self in {Mode.ROOT, Mode.USER}

    @property
    def has_own_uid(self) -> bool:
        """Whether each cell runs under a uid that nothing else on the machine has."""
        return self in {Mode.ROOT, Mode.UID}


@dataclass(frozen=True)
class CellPaths:
    """A cell's folder on this machine, and the uid that it runs under.

    state/ is the cell's to write; sockets/ holds what it may connect to; etc/ what it may read;
    listeners/ holds what only the worker may connect to, and is not in the cell.
    """

    folder: Path
    uid: int

    @property
    def state(self) -> Path:
        return self.folder / "state"

    @property
    def sockets(self) -> Path:
        return self.folder / "sockets"

    @property
    def etc(self) -> Path:
        return self.folder / "etc"

    @property
    def listeners(self) -> Path:
        return self.folder / "listeners"

    def create(self, mode: Mode) -> None:
        """Make the folders, each with exactly the rights that `mode` needs."""
        self.folder.mkdir(mode=0o711)
        for folder in (self.sockets, self.etc):
            folder.mkdir(mode=0o711)
        for folder in (self.state, self.listeners):
            folder.mkdir(mode=0o700)
        (self.state / "tmp").mkdir(mode=0o700)
        for folder in (self.state, self.state / "tmp"):
            self.give(folder, mode)
        uid = MAPPED_UID if mode is Mode.USER else self.uid
        (self.etc / "passwd").write_text(f"cell:x:{uid}:{uid}::/cell/home:/usr/sbin/nologin\n")
        (self.etc / "hosts").write_text("127.0.0.1 localhost\n")
        (self.etc / CALLS).write_bytes(program(CELLS))

    def give(self, path: Path, mode: Mode) -> None:
        """Make `path` the cell's own; only before any of its code has run."""
        if mode.has_own_uid:
            os.chown(path, self.uid, self.uid)


@dataclass(frozen=True)
class Inside:
    """Where things are, seen from inside of a cell."""

    node: str
    openclaw: str
    relay: str
    home: str
    meter_socket: str
    tools_socket: str
    tmp: str


@dataclass(frozen=True)
class Sandbox:
    """One way of starting cells, tried out on this machine by `agent.cells.host.probe`."""

    mode: Mode
    bwrap: Path | None = None

    def inside(self, place: CellPaths, engine: Engine) -> Inside:
        """Tell where the engine and the cell's files are for what runs in the cell."""
        if self.mode.has_namespaces:
            node, folder = "/opt/node", "/opt/openclaw"
            relay, home, sockets, tmp = "/opt/relay.mjs", "/cell", "/sockets", "/tmp"  # noqa: S108
        else:
            node, folder = str(engine.node), str(engine.folder)
            relay, home = str(RELAY), str(place.state)
            # Relative, because the whole path may be too long for a socket.
            sockets, tmp = "../sockets", f"{place.state}/tmp"  # noqa: S108
        meter, tools = f"{sockets}/meter", f"{sockets}/tools"
        return Inside(node, f"{folder}/{engine.program}", relay, home, meter, tools, tmp)

    def command(self, place: CellPaths, engine: Engine | None, program: list[str]) -> list[str]:
        """Return the command that runs `program` as the cell at `place`.

        It is to be started in the state folder and with the cell's whole environment.
        """
        return [*self._walls(place, engine), *self._launch(place), *program]

    def look(self, place: CellPaths, aims: dict[str, object]) -> list[str]:
        """Return the command that tries from inside what `agent.cells.host.inside_probe` tries."""
        looking = "/opt/inside_probe.py" if self.mode.has_namespaces else str(INSIDE_PROBE)
        return self.command(place, None, [launcher.LOOK, looking, json.dumps(aims)])

    def _walls(self, place: CellPaths, engine: Engine | None) -> list[str]:
        if not self.mode.has_namespaces:
            return []
        return [
            str(self.bwrap),
            *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
            *("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "cell"),
            *self._rights(),
            *system(),
            *("--perms", "1777", "--size", str(TMP_BYTES), "--tmpfs", "/tmp"),  # noqa: S108
            *_mounts(place, engine),
            *_interpreter(),
            *("--remount-ro", "/", "--chdir", "/", "--"),
        ]

    def _rights(self) -> list[str]:
        if self.mode is Mode.USER:
            uid = str(MAPPED_UID)
            own = ("--unshare-user", "--disable-userns", "--uid", uid, "--gid", uid)
            return [*own, "--cap-drop", "ALL"]
        # Just enough for the launcher to give up these as well.
        return ["--cap-drop", "ALL", *(word for cap in KEPT_RIGHTS for word in ("--cap-add", cap))]

    def _launch(self, place: CellPaths) -> list[str]:
        inside = self.mode.has_namespaces
        plan = {
            "limits": _limits(self.mode),
            "uid": place.uid if self.mode.has_own_uid else None,
            "filter": f"/etc/{CALLS}" if inside else str(place.etc / CALLS),
        }
        own = "/opt/launcher.py" if inside else str(LAUNCHER)
        return [str(_python()), "-I", "-S", own, json.dumps(plan)]


def _mounts(place: CellPaths, engine: Engine | None) -> list[str]:
    mounts = [
        *("--bind", str(place.state), "/cell"),
        *("--ro-bind", str(place.sockets), "/sockets"),
        *("--ro-bind", str(place.etc), "/etc"),
        # Folders that bwrap makes on the way to a mount are closed to all but root.
        *("--perms", "0755", "--dir", "/opt"),
        *("--ro-bind", str(RELAY), "/opt/relay.mjs"),
        *("--ro-bind", str(RELAY_STATE), "/opt/state.mjs"),
        *("--ro-bind", str(RELAY_SURGERY), "/opt/surgery.mjs"),
        *("--ro-bind", str(LAUNCHER), "/opt/launcher.py"),
    ]
    if engine is None:
        mounts += ["--ro-bind", str(INSIDE_PROBE), "/opt/inside_probe.py"]
    else:
        mounts += ["--ro-bind", str(engine.node), "/opt/node"]
        mounts += ["--ro-bind", str(engine.folder), "/opt/openclaw"]
    return mounts


def _limits(mode: Mode) -> dict[str, int]:
    # Without a uid or a namespace of its own, a cell's processes are counted with everybody's.
    processes = {} if mode is Mode.PROCESS else {"NPROC": PROCESSES}
    return {**processes, "NOFILE": OPEN_FILES, "CORE": 0}


def _python() -> Path:
    """Return the interpreter itself, not the virtual environment's link to it."""
    return Path(sys.executable).resolve()


def _interpreter() -> list[str]:
    """Mount the launcher's Python where it is outside, for it looks for its libraries there."""
    home = Path(sys.base_prefix).resolve()
    if any(home.is_relative_to(folder) for folder in SYSTEM_FOLDERS):
        return []
    return ["--ro-bind", str(home), str(home)]
