"""Installs the assistant engine: the pinned OpenClaw, slimmed, beside the code.

    python -m embedded.engine [--engine-dir DIR]

An installation is built aside and moved into place when it is complete, so `current` either names
a whole engine or does not exist. Nothing happens when the wanted one is already there.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from embedded.bundling import bundle, recipe_hash
from embedded.environ import environ
from embedded.errors import CannotStart, in_one_sentence
from embedded.programs import node_path, npm_script

PROJECT_DIR = Path(__file__).resolve().parent.parent
PIN_DIR = PROJECT_DIR / "vendor" / "openclaw"
PINNED_FILES = ("package.json", "package-lock.json", ".npmrc")
# About a quarter of the folder, and never read when OpenClaw runs.
UNUSED_SUFFIXES = (".map", ".d.ts", ".d.mts", ".d.cts")
NPM_FLAGS = ("--omit=optional", "--ignore-scripts", "--no-audit", "--no-fund")
NEEDED_BYTES = 900 * 1024 * 1024
PROGRESS_SECONDS = 3.0

Say = Callable[[str], None]


def wanted_name() -> str:
    """Return the folder name of the pinned engine: its version, its lock's hash, its bundle's."""
    lock = (PIN_DIR / "package-lock.json").read_bytes()
    version = json.loads(lock)["packages"]["node_modules/openclaw"]["version"]
    return f"openclaw-{version}-{hashlib.sha256(lock).hexdigest()[:8]}-{recipe_hash()}"


def is_installed(engine_dir: Path) -> bool:
    """Tell whether `current` is the pinned engine, complete."""
    current = engine_dir / "current"
    return current.is_symlink() and current.resolve().name == wanted_name() and current.exists()


def install(engine_dir: Path, say: Say, *, is_bundled: bool = True) -> Path:
    """Make `engine_dir`/current the pinned engine and return that path.

    Without `is_bundled` its modules stay in their many files, which is how they are looked into.
    Raises CannotStart when npm cannot fetch it or the disk is full; then nothing is left behind.
    """
    engine_dir.mkdir(parents=True, exist_ok=True)
    with _only_one(engine_dir):
        target = engine_dir / wanted_name()
        if not target.exists():
            _build(engine_dir, target, say, is_bundled)
        _point_current_at(target)
        _remove_others(engine_dir, keep=target)
    return engine_dir / "current"


@contextmanager
def _only_one(engine_dir: Path) -> Generator[None]:
    """Let one installer at a time work in this folder; the system frees it when one dies."""
    with (engine_dir / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(engine_dir: Path, target: Path, say: Say, is_bundled: bool) -> None:
    if shutil.disk_usage(engine_dir).free < NEEDED_BYTES:
        raise CannotStart(
            f"The disk is too full for the assistant engine: {engine_dir} needs "
            f"{NEEDED_BYTES // 1024**2} MB free."
        )
    aside = engine_dir / f"installing-{target.name}"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir()
    try:
        for name in PINNED_FILES:
            shutil.copyfile(PIN_DIR / name, aside / name)
        _npm_ci(aside, say)
        _finish_set_up(aside)
        _slim(aside)
        if is_bundled:
            _bundle(aside, say)
        aside.rename(target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _npm_ci(folder: Path, say: Say) -> None:
    log_path = folder / "npm.log"
    command = [str(node_path()), str(npm_script()), "ci", *NPM_FLAGS]
    with log_path.open("wb") as log:
        npm = subprocess.Popen(
            command,
            cwd=folder,
            env=_npm_environment(folder),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _report_progress(npm, folder, say)
        finally:
            npm.kill()
            npm.wait()
    if npm.returncode != 0:
        raise CannotStart(_why_npm_failed(log_path.read_text(errors="replace")))
    log_path.unlink()


def _finish_set_up(folder: Path) -> None:
    """Let OpenClaw do what its install script would have: a cell's engine is read-only."""
    program = folder / "node_modules/openclaw/openclaw.mjs"
    done = subprocess.run(
        [str(node_path()), str(program), "--version"],
        env=_npm_environment(folder) | {"HOME": str(folder / "home")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if done.returncode != 0 or (program.parent / ".openclaw-lifecycle-pending").exists():
        raise CannotStart(f"OpenClaw could not finish its set-up: {done.stderr.strip()[-300:]}")


def _bundle(folder: Path, say: Say) -> None:
    say("installing the assistant engine: putting its modules into one file")
    trouble = bundle(folder, _npm_environment(folder))
    if trouble is not None:
        # Cells boot more slowly, and that is all.
        say(f"the assistant engine stays in many files: {trouble}")
    shutil.rmtree(folder / "home", ignore_errors=True)


def _npm_environment(folder: Path) -> dict[str, str]:
    environment = environ()
    # npm's scripts look for `node` on PATH.
    environment["PATH"] = f"{node_path().parent}{os.pathsep}{environment.get('PATH', '')}"
    home = Path(environment.get("HOME", "/"))
    if not os.access(home, os.W_OK):
        environment["HOME"] = str(folder / "home")
    return environment


def _report_progress(npm: subprocess.Popen[bytes], folder: Path, say: Say) -> None:
    """Say how many packages are unpacked, every few seconds, until npm ends."""
    paths = _package_paths(folder / "package-lock.json")
    told = -1
    next_word = time.monotonic()
    while npm.poll() is None:
        if time.monotonic() >= next_word:
            done = sum((folder / path / "package.json").exists() for path in paths)
            if done != told:
                say(f"installing the assistant engine: {done} of {len(paths)} packages")
            told = done
            next_word = time.monotonic() + PROGRESS_SECONDS
        time.sleep(0.1)


def _package_paths(lock_path: Path) -> list[str]:
    packages: dict[str, dict[str, Any]] = json.loads(lock_path.read_text())["packages"]
    return [path for path, entry in packages.items() if path and not entry.get("optional")]


def _why_npm_failed(log: str) -> str:
    if "ENOSPC" in log:
        return "The disk is full: the assistant engine could not be installed."
    if any(code in log for code in ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN")):
        return "The npm registry cannot be reached: the assistant engine could not be installed."
    errors = [line for line in log.splitlines() if "npm error" in line or "npm ERR!" in line]
    return f"npm could not install the assistant engine: {' '.join(errors[:3]) or log[-300:]}"


def _slim(folder: Path) -> None:
    for path in (folder / "node_modules").rglob("*"):
        if path.name.endswith(UNUSED_SUFFIXES) and path.is_file():
            path.unlink()
    shutil.rmtree(folder / "home", ignore_errors=True)


def _point_current_at(target: Path) -> None:
    """Move the link in one step, so a worker never sees it missing."""
    link = target.parent / "current.next"
    link.unlink(missing_ok=True)
    link.symlink_to(target.name)
    link.replace(target.parent / "current")


def _remove_others(engine_dir: Path, keep: Path) -> None:
    for folder in (*engine_dir.glob("openclaw-*"), *engine_dir.glob("installing-*")):
        if folder != keep:
            shutil.rmtree(folder, ignore_errors=True)


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine-dir", type=Path, default=PROJECT_DIR / ".engine")
    engine_dir = parser.parse_args().engine_dir.resolve()
    # So that a stop unwinds: npm ends and its half-made folder goes.
    signal.signal(signal.SIGTERM, _stop)
    if is_installed(engine_dir):
        return 0
    try:
        install(engine_dir, lambda words: print(words, flush=True))
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
        return 1
    print("the assistant engine is installed", flush=True)
    return 0


def _stop(*_: object) -> None:
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(_main())
