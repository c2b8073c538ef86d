"""The unprivileged account that PostgreSQL runs under when we are root: it refuses to be root."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from embedded.errors import CannotStart

CANDIDATES = ("postgres", "nobody")


@dataclass(frozen=True)
class Account:
    """A user of this machine. Bare numbers will not do: PostgreSQL looks the name up."""

    name: str
    uid: int
    gid: int

    def can_reach(self, folder: Path) -> bool:
        """Try, as this user, to enter a folder."""
        tried = subprocess.run(
            ["test", "-x", str(folder)],
            user=self.uid,
            group=self.gid,
            extra_groups=[],
            cwd="/",
            check=False,
        )
        return tried.returncode == 0


def unprivileged_account(data: Path) -> Account | None:
    """Return the account to change to when we are root, else None. May raise CannotStart.

    Data that is there already belongs to the account that made it, and keeps it.
    """
    if os.geteuid() != 0:
        return None
    owner = data.stat().st_uid if data.exists() else 0
    if owner:
        return _owner(owner, data)
    for name in CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        "PostgreSQL refuses to run as root, and this machine has neither a user "
        "`postgres` nor `nobody` for it."
    )


def _owner(uid: int, data: Path) -> Account:
    try:
        entry = pwd.getpwuid(uid)
    except KeyError as trouble:
        raise CannotStart(
            f"{data} belongs to user number {uid}, whom this machine does not know."
        ) from trouble
    return Account(entry.pw_name, uid, entry.pw_gid)
