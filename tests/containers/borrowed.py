"""Images without a build: this machine's own system, Python and engine, shown read-only.

What the Dockerfile would copy is bound into an empty root. So a container can be run wherever runc
is, in seconds; whether the Dockerfile is right is left to the images that it builds.
"""

import sys
from pathlib import Path

from agent import engine
from agent.cells.host.jail import Jail
from settings import PROJECT_DIR, Settings
from tests.containers import images, tools
from tests.containers.images import STORE, Image

USERS = {"web": 10001, "worker": 0}
_CODE = """
    actions agent alembic.ini channels gateways migrations models serve.py settings tasks
    telegram_bot untrusted webapp wsgi.py
"""
CODE = _CODE.split()
# Where programs look for what Debian has moved to /usr.
MOVED = ("bin", "lib", "lib64", "sbin")
SYSTEM = ("/usr", "/etc")
JAIL = "/jail"
ENGINE_DIR = PROJECT_DIR / ".engine"


def here() -> dict[str, Image]:
    """Return those of the Dockerfile where this very tree has been built, else borrowed ones."""
    built = {} if tools.missing() else {target: images.built(target) for target in USERS}
    return {target: built.get(target) or image(target) for target in USERS}


def image(target: str) -> Image:
    """Return what the image `target` would be, made of this machine.

    Raises LookupError when the engine is not installed here, and OSError when its jail cannot be
    put together.
    """
    root = STORE / "borrowed"
    root.mkdir(parents=True, exist_ok=True)
    for name in MOVED:
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    # What is mounted there gets the rights of what it hides.
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    serve = ["python", "-m", "serve"]
    is_worker = target == "worker"
    return Image(
        root=root,
        entrypoint=["tini", "--", *serve] if is_worker else serve,
        command=[target],
        environment=_variables() | (_of_the_jail() if is_worker else {}),
        user=USERS[target],
        folder="/app",
        parts=_parts() | ({JAIL: _jail()} if is_worker else {}),
    )


def _variables() -> dict[str, str]:
    return {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def _of_the_jail() -> dict[str, str]:
    """Return what the Dockerfile says of where the engine is."""
    return {
        "ENGINE_DIR": f"{JAIL}/opt",
        "NODE_PATH": f"{JAIL}/opt/node",
        "JAIL_DIR": JAIL,
        "CELLS_DIR": f"{JAIL}/cells",
    }


def _parts() -> dict[str, Path]:
    pythons = {prefix: Path(prefix) for prefix in (sys.prefix, sys.base_prefix)}
    code = {f"/app/{name}": PROJECT_DIR / name for name in CODE}
    return {**{name: Path(name) for name in SYSTEM}, **pythons, **code}


def _jail() -> Path:
    # Whoever asks may have no settings of a product.
    installed = engine.find(Settings.model_construct(engine_dir=ENGINE_DIR, node_path=None))
    if installed is None:
        raise LookupError("OpenClaw is not installed here.")
    jail = Jail(STORE / "jail")
    jail.build(installed)
    current = jail.root / "opt" / "current"
    current.unlink(missing_ok=True)
    current.symlink_to(installed.folder.name)
    return jail.root
