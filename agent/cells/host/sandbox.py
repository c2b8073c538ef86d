"""The wall around a cell: how a command is started so that it sees its own files and nothing else.

With namespaces a cell has its own processes, mounts, IPC, host name and network (only `lo`), a
read-only system, and an unprivileged uid without any capability. A jail needs no namespaces: a root
of its own without anybody's files, an own uid, and a filter that opens no network. Without either
only the uid separates, and cells of two people never live side by side. In every mode a filter
leaves it the system calls that it needs; from inside of the walls the launcher gives up all rights
and puts the filter on, then becomes the cell's program.
"""

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from agent.cells.host.cell_paths import CALLS, MAPPED_UID, CellPaths, Mode
from agent.cells.host.jail import Jail
from agent.engine import Engine
from untrusted import launcher
from untrusted.walls import KEPT_RIGHTS, SYSTEM_FOLDERS, system

RELAY = Path(__file__).parents[1] / "relay.mjs"
# What the relay imports from beside itself.
RELAY_STATE = Path(__file__).parents[1] / "state.mjs"
RELAY_SURGERY = Path(__file__).parents[1] / "surgery.mjs"
# What is tried from inside before a worker trusts its walls.
INSIDE_PROBE = Path(__file__).with_name("inside_probe.py")
LAUNCHER = Path(launcher.__file__)
# Of the whole cell; V8's own heap limit is far below.
PROCESSES = 256
OPEN_FILES = 4096
TMP_BYTES = 256 * 1024 * 1024


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
    # What carries its loopback, where it can open no network.
    loopback: str | None = None


@dataclass(frozen=True)
class Sandbox:
    """One way of starting cells, tried out on this machine by `agent.cells.host.probe`."""

    mode: Mode
    bwrap: Path | None = None
    jail: Jail | None = None

    def furnish(self, engine: Engine) -> None:
        """Put the engine where cells find it. Raises OSError."""
        if self.jail is not None:
            self.jail.furnish(engine)

    def inside(self, place: CellPaths, engine: Engine) -> Inside:
        """Tell where the engine and the cell's files are for what runs in the cell."""
        if self.jail is not None:
            return _in_jail(self.jail, place, engine)
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
        plan: dict[str, object] = {
            "limits": _limits(self.mode),
            "uid": place.uid if self.mode.has_own_uid else None,
            "filter": f"/etc/{CALLS}" if inside else str(place.etc / CALLS),
        }
        if self.jail is not None:
            plan["jail"] = self.jail.plan(place)
        own = "/opt/launcher.py" if inside else str(LAUNCHER)
        return [str(_python()), "-I", "-S", own, json.dumps(plan)]


def _in_jail(jail: Jail, place: CellPaths, engine: Engine) -> Inside:
    home, sockets = jail.inside(place.state), jail.inside(place.sockets)
    meter, tools = f"{sockets}/meter", f"{sockets}/tools"
    openclaw = f"/opt/{engine.folder.name}/{engine.program}"
    tmp = f"{home}/tmp"  # noqa: S108
    return Inside(
        "/opt/node", openclaw, "/opt/relay.mjs", home, meter, tools, tmp, "/opt/loopback.cjs"
    )


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
