"""What it takes to build and run containers here: programs of the system, and root."""

import os
import shutil

PROGRAMS = ("buildah", "runc", "mmdebstrap")
# Comes with buildah; Docker's own profile is made of it.
PROFILE = "/usr/share/containers/seccomp.json"


def missing() -> str | None:
    """Say what is missing, in a sentence; None when all is there."""
    if os.geteuid() != 0:
        return "Containers are built and run by root alone."
    lacking = [name for name in PROGRAMS if shutil.which(name) is None]
    if lacking or not os.path.exists(PROFILE):  # noqa: PTH110
        names = ", ".join(lacking or [PROFILE])
        return f"Missing: {names}. They come with: apt-get install {' '.join(PROGRAMS)}"
    return None
