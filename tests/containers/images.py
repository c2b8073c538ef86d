"""Builds the images of the Dockerfile, and finds those that are built.

Where no registry of images can be reached, Debian's packages make up the one that the Dockerfile
begins FROM: the same release, the same Python, other paths.
"""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from settings import PROJECT_DIR

STORE = PROJECT_DIR / ".test-data" / "containers"
DOCKERFILE = PROJECT_DIR / "Dockerfile"
RELEASE = "trixie"
PACKAGES = "python3,python3-venv,ca-certificates,netbase,tzdata"
# How programs are told of certificates that a network of one's own needs.
CERTIFICATES = ("PIP_CERT", "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE")
CERTIFICATES_DIR = "/etc/ssl/certs"
TARGETS = ("web", "worker", "standins")


@dataclass(frozen=True)
class Image:
    """An image whose files stand at `root`, and what it says of how to run it."""

    root: Path
    entrypoint: list[str]
    command: list[str]
    environment: dict[str, str]
    user: int
    folder: str
    # What it has from elsewhere on this machine, read-only, by where that is in the container.
    parts: Mapping[str, Path] = field(default_factory=dict[str, Path])


def built(target: str) -> Image | None:
    """Return an image of these very files, or None when it is not built."""
    name = _name(target)
    if not STORE.exists() or _buildah("images", "--quiet", name, check=False).returncode != 0:
        return None
    return _mounted(name)


def build(target: str) -> Image:
    """Build it from this tree; what has not changed comes from the layers built before."""
    STORE.mkdir(parents=True, exist_ok=True)
    first = _first_image()
    if _buildah("images", "--quiet", first, check=False).returncode != 0:
        _build_first(first)
    _buildah(
        *("bud", "--isolation", "chroot", "--pull-never", "--layers"),
        *("--volume", f"{CERTIFICATES_DIR}:{CERTIFICATES_DIR}:ro"),
        *("--target", target, "--tag", _name(target), str(PROJECT_DIR)),
        is_shown=True,
    )
    return _mounted(_name(target))


def tree_hash() -> str:
    """Return a hash over all that the images are made of."""
    whole = hashlib.sha256()
    ignored = PROJECT_DIR / ".dockerignore"
    kept = [line[1:] for line in ignored.read_text().splitlines() if line.startswith("!")]
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--", "Dockerfile", ".dockerignore", *kept],
        cwd=PROJECT_DIR,
        capture_output=True,
        check=True,
    ).stdout
    for name in sorted(os.fsdecode(listed).split("\0")):
        path = PROJECT_DIR / name
        if name and path.is_file():
            whole.update(name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:16]


def _name(target: str) -> str:
    return f"localhost/shellmate-{target}:{tree_hash()}"


def _first_image() -> str:
    found = re.search(r"^FROM (\S+) AS", DOCKERFILE.read_text(), re.MULTILINE)
    if found is None:
        raise ValueError("The Dockerfile begins from nothing.")
    return f"docker.io/library/{found[1]}"


def _build_first(name: str) -> None:
    archive = STORE / "first.tar"
    subprocess.run(
        ["mmdebstrap", "--variant=minbase", f"--include={PACKAGES}", RELEASE, str(archive)],
        check=True,
    )
    container = _buildah("from", "scratch").stdout.strip()
    _buildah("add", "--quiet", container, str(archive), "/")
    for variable in CERTIFICATES:
        if path := os.environ.get(variable):  # noqa: TID251  # this machine's, not the product's
            _buildah("config", "--env", f"{variable}={path}", container)
    _buildah("commit", "--quiet", "--rm", container, name)
    archive.unlink()


def _mounted(name: str) -> Image:
    """Make a container's worth of the image, which shows its files; one is enough for all tests."""
    container = f"of-{name.rpartition('/')[2].replace(':', '-')}"
    if _buildah("inspect", container, check=False).returncode != 0:
        _buildah("from", "--pull-never", "--name", container, name)
    root = Path(_buildah("mount", container).stdout.strip())
    said = json.loads(_buildah("inspect", "--type", "image", name).stdout)
    config: dict[str, Any] = said["OCIv1"]["config"]
    variables: Mapping[str, str] = dict(one.split("=", 1) for one in config.get("Env", []))
    return Image(
        root=root,
        entrypoint=config.get("Entrypoint") or [],
        command=config.get("Cmd") or [],
        environment={key: value for key, value in variables.items() if key not in CERTIFICATES},
        user=int(config.get("User") or 0),
        folder=config.get("WorkingDir") or "/",
    )


def _buildah(*words: str, check: bool = True, is_shown: bool = False) -> Any:
    storage = STORE / "storage.conf"
    if STORE.exists() and not storage.exists():
        roots = f'graphroot = "{STORE}/images"\nrunroot = "{STORE}/run"\n'
        storage.write_text(f'[storage]\ndriver = "overlay"\n{roots}')
    own = {**os.environ, "CONTAINERS_STORAGE_CONF": str(storage)}  # noqa: TID251
    done = subprocess.run(
        ["buildah", *words],
        env=own,
        stdin=subprocess.DEVNULL,
        capture_output=not is_shown,
        text=True,
        check=False,
    )
    if check and done.returncode != 0:
        raise RuntimeError(f"buildah {words[0]} failed: {(done.stderr or '')[-2000:]}")
    return done
