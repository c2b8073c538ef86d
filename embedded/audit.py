"""Audits the books of this machine's data (`make audit`), whether the product runs or not.

DATABASE_URL names other books.
"""

import subprocess
import sys
from collections.abc import Mapping

from embedded import postgres
from embedded.__main__ import DEFAULT_DATA_DIR
from embedded.data_folder import DataFolder
from embedded.engine import PROJECT_DIR
from embedded.errors import CannotStart, in_one_sentence
from embedded.stack import Services
from embedded.stores import is_listening
from embedded.surroundings import surroundings


def main() -> int:
    """Print what was found; return 0 when the books balance."""
    given = surroundings()
    if "DATABASE_URL" in given:
        return _audit({})
    folder = DataFolder(PROJECT_DIR / (given.get("DATA_DIR") or DEFAULT_DATA_DIR))
    if not folder.has_credentials():
        print(f"There are no books in {folder.path} yet: make run begins them.", file=sys.stderr)
        return 2
    try:
        running = _running(folder)
        if running is not None:
            return _audit(running)
        with Services(folder.path) as services:
            return _audit(services.environment())
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
    return 2


def _running(folder: DataFolder) -> dict[str, str] | None:
    """Return the settings that lead to the database of a product that runs on the folder."""
    port = folder.known_port("postgres")
    if port is None or not is_listening(port):
        return None
    return {
        "DATABASE_URL": postgres.url(port, folder.secret("database_password")),
        "SECRET_KEY": folder.secret("secret_key"),
        # Nothing is asked of it; the settings are not whole without one.
        "REDIS_URL": "redis://",
    }


def _audit(settings: Mapping[str, str]) -> int:
    command = [sys.executable, "-m", "tasks.auditing"]
    environment = {**surroundings(), **settings}
    return subprocess.run(command, cwd=PROJECT_DIR, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
