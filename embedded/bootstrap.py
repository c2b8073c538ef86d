"""Prepares this machine and hands over to the project's own environment.

    python3 embedded/bootstrap.py embedded|dev|bench MODULE [ARGUMENT...]

Makes `.venv`, installs the hashed requirements of that name into it, and becomes
`.venv/bin/python -m MODULE`. When nothing changed since last time this takes a moment. It is the
one file that runs under the system's own Python, so it uses the standard library alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

PROJECT_DIR = Path(__file__).resolve().parent.parent
VENV_DIR = PROJECT_DIR / ".venv"
VENV_PYTHON = VENV_DIR / "bin" / "python"
REQUIREMENTS_DIR = PROJECT_DIR / "requirements"
# The tests' requirements hold the run's too, and the benches' hold both.
ENOUGH = {
    "embedded": ("embedded", "dev", "bench"),
    "dev": ("dev", "bench"),
    "bench": ("bench",),
}
OLDEST, NEWEST = (3, 11), (3, 14)
NEEDED_BYTES = 1500 * 1024 * 1024
PROGRESS_SECONDS = 3.0
PIP_FLAGS = (
    "--require-hashes",
    # The lists are complete, and pip 23 looks for extras' newest versions past the pinned ones
    # (pypa/pip issue 12345), which fails on the day that such a version comes out.
    "--no-deps",
    "--only-binary=:all:",
    # Pure Python that is published as source alone; pywebpush encrypts with it.
    "--no-binary=http-ece",
    "--disable-pip-version-check",
    "--no-input",
    "--progress-bar=off",
)
NETWORK_SIGNS = ("NewConnectionError", "NameResolutionError", "ProxyError", "timed out")


class CannotPrepare(Exception):
    """Something of the machine is in the way; the message is one sentence for the person."""


def main(arguments: list[str]) -> int:
    """Prepare, then become the asked module. Returns only the exit code of a failure."""
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        prepare(arguments[0])
    except CannotPrepare as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except OSError as trouble:
        print(
            f"Cannot prepare {trouble.filename or VENV_DIR}: {trouble.strerror}.", file=sys.stderr
        )
        return 1
    except KeyboardInterrupt:
        print("Stopped; the next start goes on from here.", file=sys.stderr)
        return 130
    os.chdir(PROJECT_DIR)
    os.execv(VENV_PYTHON, [str(VENV_PYTHON), "-m", *arguments[1:]])  # noqa: S606
    return 0


def prepare(name: str) -> None:
    """Make the environment hold the requirements of that name."""
    _check_python()
    # A lock on the folder itself leaves no file behind, and is free when its holder dies.
    project = os.open(PROJECT_DIR, os.O_RDONLY)
    try:
        fcntl.flock(project, fcntl.LOCK_EX)
        if any(_is_stamped(enough) for enough in ENOUGH[name]):
            return
        _check_space()
        _make_venv()
        _install(name)
        _stamp_path(name).write_text(_stamp(name))
    finally:
        os.close(project)


def _check_python() -> None:
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        running = ".".join(str(part) for part in sys.version_info[:2])
        raise CannotPrepare(
            f"Shellmate needs Python 3.11 to 3.14, and {sys.executable} is {running}: name "
            "another one, as in `make run PYTHON=python3.12`."
        )


def _check_space() -> None:
    free = shutil.disk_usage(PROJECT_DIR).free
    if free < NEEDED_BYTES:
        raise CannotPrepare(
            f"The disk is too full: {PROJECT_DIR} has {free // 1024**2} MB left and "
            f"{NEEDED_BYTES // 1024**2} MB are needed to install."
        )


def _is_stamped(name: str) -> bool:
    path = _stamp_path(name)
    return path.exists() and path.read_text() == _stamp(name) and os.access(VENV_PYTHON, os.X_OK)


def _stamp_path(name: str) -> Path:
    return VENV_DIR / f".{name}.installed"


def _stamp(name: str) -> str:
    """Return what an installation depends on; a moved folder has to be made anew."""
    wanted = hashlib.sha256((REQUIREMENTS_DIR / f"{name}.txt").read_bytes()).hexdigest()
    return f"{wanted} {VENV_DIR} {os.path.realpath(VENV_PYTHON)}\n"


def _make_venv() -> None:
    if _is_sound_venv():
        return
    _say(f"making {VENV_DIR.name} with Python {sys.version.split()[0]}")
    has_pip = importlib.util.find_spec("ensurepip") is not None
    if not has_pip and importlib.util.find_spec("pip") is None:
        raise CannotPrepare(
            f"{sys.executable} has neither ensurepip nor pip: install one of them, on Debian and "
            "Ubuntu with `apt-get install python3-venv`."
        )
    shutil.rmtree(VENV_DIR, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV_DIR)]
    made = subprocess.run(
        command if has_pip else [*command, "--without-pip"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        shutil.rmtree(VENV_DIR, ignore_errors=True)
        raise CannotPrepare(_why(made.stdout, f"{VENV_DIR} could not be made"))


def _is_sound_venv() -> bool:
    """Tell whether there is an environment made for this folder, with a Python that still runs."""
    activate = VENV_DIR / "bin" / "activate"
    # Its scripts name the folder in their first lines, so a moved one is of no use.
    if not os.access(VENV_PYTHON, os.X_OK) or not activate.exists():
        return False
    if str(VENV_DIR) not in activate.read_text():
        return False
    asked = subprocess.run(
        [str(VENV_PYTHON), "-c", "import sys; print(sys.version_info >= (3, 11))"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    return asked.stdout == "True\n"


def _pip() -> list[str]:
    """Return the venv's own pip, or else the system's, told to work on the venv."""
    own = subprocess.run(
        [str(VENV_PYTHON), "-c", "import pip"], stderr=subprocess.DEVNULL, check=False
    )
    if own.returncode == 0:
        return [str(VENV_PYTHON), "-m", "pip"]
    return [sys.executable, "-m", "pip", "--python", str(VENV_PYTHON)]


def _install(name: str) -> None:
    path = REQUIREMENTS_DIR / f"{name}.txt"
    wanted = set(re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text(), re.MULTILINE))
    _say(f"installing {len(wanted)} Python packages (once; later starts take seconds)")
    pip = subprocess.Popen(
        [*_pip(), "install", *PIP_FLAGS, "-r", str(path)],
        env={**os.environ, "PIP_USER": "0"},  # noqa: TID251
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        said = _follow(pip, len(wanted))
    finally:
        pip.kill()
        pip.wait()
    if pip.returncode != 0:
        raise CannotPrepare(_why(said, "pip could not install the Python packages"))


def _follow(pip: subprocess.Popen[str], total: int) -> str:
    """Say how far pip is, every few seconds, until it ends; return all that it said."""
    said: list[str] = []
    fetched, next_word = 0, 0.0
    for line in pip.stdout or ():
        said.append(line)
        found = re.match(r"(?:Collecting|Requirement already satisfied:) ([A-Za-z0-9._-]+)", line)
        if found:
            fetched += 1
            if time.monotonic() >= next_word:
                _say(f"fetching {fetched} of {total}: {found.group(1)}")
                next_word = time.monotonic() + PROGRESS_SECONDS
        elif line.startswith("Installing collected"):
            _say(f"unpacking {line.count(',') + 1} packages, about half a minute")
        elif "Retrying" in line:
            _say("the package registry does not answer; trying again")
    pip.wait()
    return "".join(said)


def _why(said: str, what: str) -> str:
    """Make one sentence of a tool's output."""
    if "No space left on device" in said:
        return f"{what}: the disk is full."
    if any(sign in said for sign in NETWORK_SIGNS):
        return f"{what}: the package registry cannot be reached. Check the network and try again."
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    first = next((at for at, line in enumerate(lines) if line.startswith("ERROR")), -1)
    # An error that ends in a colon names its cause on the next line.
    return f"{what}: {' '.join(lines[first:][:2])}"


def _say(words: str) -> None:
    print(f"setup    | {words}", flush=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
