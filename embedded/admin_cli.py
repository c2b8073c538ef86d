"""Runs what somebody does by hand on this machine's data, whether the product runs or not.

DATABASE_URL names other books.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence

from embedded import postgres
from embedded.__main__ import DEFAULT_DATA_DIR
from embedded.data_folder import DataFolder
from embedded.engine import PROJECT_DIR
from embedded.environ import environ
from embedded.errors import CannotStart, in_one_sentence
from embedded.fakes import stripe_settings
from embedded.stack import Services
from embedded.stores import Valkey, is_listening


def run(module: str, arguments: Sequence[str] = ()) -> int:
    """Run a module of the product's on the data and return its exit code; 2 if that cannot be."""
    given = environ()
    command = [sys.executable, "-m", module, *arguments]
    if "DATABASE_URL" in given:
        return _run(command, {})
    folder = DataFolder(PROJECT_DIR / (given.get("DATA_DIR") or DEFAULT_DATA_DIR))
    if not folder.has_credentials():
        print(f"There are no books in {folder.path} yet: make run begins them.", file=sys.stderr)
        return 2
    try:
        running = _running(folder)
        if running is not None:
            return _run(command, running)
        with Services(folder.path) as services:
            return _run(command, services.environment())
    except CannotStart as trouble:
        print(trouble, file=sys.stderr)
    except OSError as trouble:
        print(in_one_sentence(trouble), file=sys.stderr)
    return 2


def _running(folder: DataFolder) -> dict[str, str] | None:
    """Return the settings that lead to what a product that runs on the folder uses."""
    port, valkey_port = folder.known_port("postgres"), folder.known_port("valkey")
    if port is None or valkey_port is None or not is_listening(port):
        return None
    stripe = folder.known_port("stripe")
    return {
        "DATABASE_URL": postgres.url(port, folder.secret("database_password")),
        "SECRET_KEY": folder.secret("secret_key"),
        "REDIS_URL": Valkey(folder, valkey_port, folder.secret("redis_password")).url,
        **(stripe_settings(folder, stripe) if stripe and is_listening(stripe) else {}),
    }


def _run(command: Sequence[str], settings: Mapping[str, str]) -> int:
    environment = {**environ(), **settings}
    return subprocess.run(command, cwd=PROJECT_DIR, env=environment, check=False).returncode
