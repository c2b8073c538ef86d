"""Finds Chromium for the browser journeys, and installs it where that may be done: Debian, root."""

import shutil

from embedded import apt
from embedded.environ import environ
from embedded.errors import CannotStart

NAMES = ("chromium", "chromium-browser", "google-chrome")


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
    if found is None and apt.may_install():
        print("setup    | installing Chromium for the browser journeys", flush=True)
        apt.install("chromium")
        found = find_chromium()
    if found is None and environ().get("CI") == "true":
        raise CannotStart(
            "Chromium could not be installed, and in CI the browser journeys must run."
        )
    return found
