"""Puts the modules that a booting OpenClaw loads into one file, as finding thousands takes long.

What does it is pinned in vendor/bundle, and so is the list of what goes in, which is one version's.
"""

import hashlib
import shutil
import subprocess
from pathlib import Path

from embedded.programs import node_path, npm_script

BUNDLE_DIR = Path(__file__).resolve().parent.parent / "vendor" / "bundle"
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
SCRIPTS = ("bundle.mjs", "plugins.mjs", "modules.mjs", "changes.mjs")
BUNDLE_FILES = (*NPM_FILES, *SCRIPTS, "loaded.txt")
# Its program for each platform is an optional package.
NPM_FLAGS = ("--ignore-scripts", "--no-audit", "--no-fund")
BUNDLING_SECONDS = 180


def recipe_hash() -> str:
    """Return a hash over all that a bundle is made by."""
    whole = hashlib.sha256()
    for name in BUNDLE_FILES:
        whole.update((BUNDLE_DIR / name).read_bytes())
    return whole.hexdigest()[:8]


def bundle(folder: Path, environment: dict[str, str]) -> str | None:
    """Bundle the engine in `folder`; return None, or why it stays as it came, which works too."""
    tools = folder / "bundler"
    tools.mkdir()
    try:
        for name in BUNDLE_FILES:
            shutil.copyfile(BUNDLE_DIR / name, tools / name)
        node = str(node_path())
        _run([node, str(npm_script()), "ci", *NPM_FLAGS], tools, environment)
        _run([node, "bundle.mjs", str(folder)], tools, environment)
    except subprocess.TimeoutExpired:
        return f"it took more than {BUNDLING_SECONDS} s"
    except subprocess.CalledProcessError as trouble:
        return str(trouble.stdout).strip()[-300:]
    finally:
        shutil.rmtree(tools, ignore_errors=True)
    return None


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=BUNDLING_SECONDS,
        check=True,
    )
