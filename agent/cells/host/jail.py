"""The root that a worker's jailed cells share: Node, OpenClaw and the libraries that Node needs.

    python -m agent.cells.host.jail ROOT NODE ENGINE_DIR

puts it together when an image is built; it may be read-only from then on, but for its folder
`cells`. All in it is root's own and the same for every cell. There is no /proc in it, no /sys, no
shell, and of devices four.
"""

import argparse
import fcntl
import os
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from agent.cells.host.cell_paths import CellPaths
from agent.engine import Engine
from settings import Settings

IN_CELLS_DIR = "jail"
# What changes while cells live: their folders, and what they share.
CELLS = "cells"
SHARED = "shared"
LOCK = "lock"
DEVICES = {"null": (1, 3), "zero": (1, 5), "random": (1, 8), "urandom": (1, 9)}
CODE = Path(__file__).parents[1]
# The relay with what it imports, and what carries a cell's loopback.
PROGRAMS = ("relay.mjs", "state.mjs", "surgery.mjs", "loopback.cjs")
FOLDERS = ("opt", "etc", CELLS)
ETC = {
    "hosts": "127.0.0.1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
# OpenClaw makes this one in /tmp, whatever TMPDIR says, and ends where it cannot.
OPENCLAWS_LOCKS = "openclaw-state-locks"
READABLE = ("/opt", "/lib", "/lib64", "/usr", "/etc", f"/{CELLS}/{SHARED}/dev")
NULL = f"/{CELLS}/{SHARED}/dev/null"


class JailFailed(OSError):
    """The root could not be put together here."""


@dataclass(frozen=True)
class Jail:
    """The shared root at `root`."""

    root: Path

    @property
    def cells(self) -> Path:
        """The folder that workers make theirs in."""
        return self.root / CELLS

    def inside(self, path: Path) -> str:
        """Return what a path below the root is from inside of it."""
        return f"/{path.relative_to(self.root)}"

    def plan(self, place: CellPaths) -> dict[str, object]:
        """Return what the launcher needs to know to go into the jail as the cell at `place`."""
        return {
            "root": str(self.root),
            "folder": self.inside(place.state),
            "readable": [*filter(self._is_there, READABLE), self.inside(place.sockets)],
            "writable": [*map(self.inside, place.writable), NULL],
        }

    def furnish(self, engine: Engine | None) -> None:
        """Put in place what is missing, the engine too if there is one. Raises OSError."""
        if self._is_writable():
            self.build(engine)
        self._furnish_shared()

    def build(self, engine: Engine | None) -> None:
        """Put in place all but what workers must make themselves. Raises OSError.

        It takes a moment where engine and jail are on one file system, and copies half a gigabyte
        where they are not. Workers that share a root wait for each other.
        """
        for name in ("", *FOLDERS):
            (self.root / name).mkdir(parents=True, exist_ok=True)
            (self.root / name).chmod(0o711 if name == CELLS else 0o755)
        with (self.root / "opt" / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._furnish_system()
            if engine is not None:
                self._furnish_engine(engine)

    def locks(self, uid: int) -> Path:
        """Return where the OpenClaw of a cell with this uid keeps its locks."""
        return self._shared / "tmp" / f"{OPENCLAWS_LOCKS}-{uid}"

    @property
    def _shared(self) -> Path:
        return self.cells / SHARED

    def _is_there(self, path: str) -> bool:
        return (self.root / path[1:]).exists()

    def _is_writable(self) -> bool:
        """Tell whether the root is not part of a read-only image."""
        return not self.root.exists() or not os.statvfs(self.root).f_flag & os.ST_RDONLY

    def _furnish_system(self) -> None:
        for name, text in ETC.items():
            _write(self.root / "etc" / name, text.encode())
        for name in PROGRAMS:
            _write(self.root / "opt" / name, (CODE / name).read_bytes())
        for name in ("dev", "tmp"):
            link = self.root / name
            if not link.is_symlink():
                link.symlink_to(f"{CELLS}/{SHARED}/{name}")

    def _furnish_shared(self) -> None:
        """Make what may not be part of an image: devices, and a place for locks."""
        # It may be a volume with whatever rights somebody gave it.
        self.cells.chmod(0o711)
        for folder in (self._shared, self._shared / "dev", self._shared / "tmp"):
            folder.mkdir(exist_ok=True)
            # A cell knows the names that it needs, and can list none.
            folder.chmod(0o711)
        for name, (major, minor) in DEVICES.items():
            path = self._shared / "dev" / name
            if not path.exists():
                os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(major, minor))
                path.chmod(0o666)

    def _furnish_engine(self, engine: Engine) -> None:
        opt = self.root / "opt"
        folder, node = opt / engine.folder.name, opt / "node"
        for library in _libraries(engine.node):
            _write(self.root / str(library).lstrip("/"), library.read_bytes(), 0o755)
        if not node.exists() or not _is_same(node, engine.node):
            _take(engine.node, node)
        if not folder.exists():
            _take(engine.folder, folder)
            for other in opt.glob("openclaw-*"):
                if other != folder:
                    shutil.rmtree(other, ignore_errors=True)


def jail_of(settings: Settings) -> Jail:
    """Return the jail of these settings, there or not."""
    return Jail((settings.jail_dir or settings.cells_dir / IN_CELLS_DIR).absolute())


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    aside = path.with_name(f"{path.name}.new")
    aside.write_bytes(content)
    aside.chmod(mode)
    aside.replace(path)


def _take(source: Path, target: Path) -> None:
    """Put `source` there whole or not at all: as hard links, which take no room, else as copies."""
    aside = target.with_name(f"new-{target.name}")
    for how in ("-al", "-a"):
        _remove(aside)
        done = subprocess.run(
            ["cp", how, str(source), str(aside)], check=False, capture_output=True, text=True
        )
        if done.returncode == 0:
            aside.replace(target)
            return
    _remove(aside)
    raise JailFailed(f"{source} could not be copied: {done.stderr.strip()[-200:]}")


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _libraries(program: Path) -> list[Path]:
    """List what the dynamic loader loads for a program, itself included, by asking it."""
    done = subprocess.run(
        [str(program)],
        env={"LD_TRACE_LOADED_OBJECTS": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    words = [word for line in done.stdout.splitlines() for word in line.split()]
    return [Path(word) for word in words if word.startswith("/")]


def _is_same(one: Path, other: Path) -> bool:
    ours, theirs = one.stat(), other.stat()
    return (ours.st_size, int(ours.st_mtime)) == (theirs.st_size, int(theirs.st_mtime))


def main() -> int:
    """Put the root of an image together."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("root", "node", "engine_dir"):
        parser.add_argument(name, type=Path)
    given = parser.parse_args()
    Jail(given.root).build(Engine(given.node, (given.engine_dir / "current").resolve()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
