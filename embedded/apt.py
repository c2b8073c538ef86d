"""Installs packages of the system where that may be done: Debian, root."""

import os
import shutil
import subprocess
from pathlib import Path

from embedded.environ import environ

CALM = {"DEBIAN_FRONTEND": "noninteractive"}


def may_install() -> bool:
    """Tell whether this process may install packages of the system."""
    is_debian = Path("/etc/debian_version").exists() and shutil.which("apt-get") is not None
    return is_debian and os.geteuid() == 0


def install(*packages: str) -> None:
    """Install packages without what they only recommend; print why it failed when it does."""
    _apt("update")
    _apt("install", "--yes", "--no-install-recommends", *packages)


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
