"""What it takes to build and run containers here: programs of the system, and root."""

import os
import shutil

from embedded import apt

TO_RUN = ("runc", "tini")
TO_BUILD = (*TO_RUN, "buildah", "mmdebstrap")


def missing(programs: tuple[str, ...] = TO_BUILD) -> str | None:
    """Say what is missing, in a sentence; None when all is there."""
    if os.geteuid() != 0:
        return "Containers are built and run by root alone."
    lacking = [name for name in programs if shutil.which(name) is None]
    if lacking:
        return f"Missing: {', '.join(lacking)}. apt-get install {' '.join(lacking)} brings them."
    return None


def missing_to_run() -> str | None:
    """Say what is missing to run containers, after having installed it where that may be done."""
    if missing(TO_RUN) is not None and apt.may_install():
        apt.install(*TO_RUN)
    return missing(TO_RUN)
