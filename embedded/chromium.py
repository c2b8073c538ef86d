"""Finds Chromium for the browser journeys, and installs it where that may be done: Debian, root."""

import os
import shutil
import subprocess
from pathlib import Path

from embedded.environ import environ
from embedded.errors import CannotStart

NAMES = ("chromium", "chromium-browser", "google-chrome")
CALM = {"DEBIAN_FRONTEND": "noninteractive"}


def find_chromium() -> str | None:
    """Return the browser's path, or None: CHROMIUM_PATH, else what is on PATH."""
    given = environ().get("CHROMIUM_PATH")
    if given:
        return given
    return next((path for path in map(shutil.which, NAMES) if path), None)


def ensure_chromium() -> str | None:
    """Return the browser's path, installing it by apt where this process may; else None.

    Raises CannotStart in CI (CI=true) when it is not to be had: there the journeys must run.
    """
    found = find_chromium()
    if found is None and _may_install():
        print("setup    | installing Chromium for the browser journeys", flush=True)
        _apt("update")
        _apt("install", "--yes", "--no-install-recommends", "chromium")
        found = find_chromium()
    if found is None and environ().get("CI") == "true":
        raise CannotStart(
            "Chromium could not be installed, and in CI the browser journeys must run."
        )
    return found


def _may_install() -> bool:
    is_debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    return is_debian and os.geteuid() == 0


def _apt(*words: str) -> None:
    ran = subprocess.run(
        ["apt-get", "-qq", *words],
        env=environ() | CALM,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode != 0:
        print(f"setup    | apt-get {words[0]}: {ran.stderr.strip()[-300:]}", flush=True)
