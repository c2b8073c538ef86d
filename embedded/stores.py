"""Valkey and the S3-compatible store as ordinary processes on 127.0.0.1."""

import socket
from dataclasses import dataclass

import redis

from embedded.data_folder import DataFolder
from embedded.ports import LOCALHOST
from embedded.process import Program
from embedded.programs import rclone_path, valkey_path

BUCKET = "shellmate"
# rclone refuses short keys.
ACCESS_KEY_LENGTH = 20


@dataclass(frozen=True)
class Valkey:
    """Valkey with an append-only file and a password."""

    folder: DataFolder
    port: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://:{self.password}@{LOCALHOST}:{self.port}/0"

    def program(self) -> Program:
        """Return how to run it; its password goes by a file, which `ps` does not show."""
        directory = self.folder.path / "valkey"
        directory.mkdir(mode=0o700, exist_ok=True)
        settings = directory / "valkey.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            f"bind {LOCALHOST}\nport {self.port}\nrequirepass {self.password}\n"
            f'dir "{directory}"\nappendonly yes\nsave ""\nlogfile ""\n'
        )
        return Program(
            name="valkey",
            command=(str(valkey_path()), str(settings)),
            environment={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
            directory=directory,
            is_ready=self._answers,
            is_quiet=True,
        )

    def _answers(self) -> bool:
        client = redis.Redis(
            host=LOCALHOST, port=self.port, password=self.password, socket_timeout=2
        )
        try:
            return bool(client.ping())  # pyright: ignore[reportUnknownMemberType]
        except redis.RedisError:
            return False
        finally:
            client.close()


@dataclass(frozen=True)
class ObjectStore:
    """`rclone serve s3` over a plain folder: a bucket is a folder, an object is a file."""

    folder: DataFolder
    port: int
    access_key: str
    secret_key: str

    @property
    def url(self) -> str:
        return f"http://{LOCALHOST}:{self.port}"

    def program(self) -> Program:
        """Return how to run it; its keys go by the environment, which `ps` does not show."""
        directory = self.folder.path / "s3"
        (directory / BUCKET).mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
        return Program(
            name="s3",
            command=(
                str(rclone_path()),
                "serve",
                "s3",
                "--addr",
                f"{LOCALHOST}:{self.port}",
                str(directory),
            ),
            environment={
                "PATH": "/usr/bin:/bin",
                "HOME": str(self.folder.path),
                "RCLONE_CONFIG": "/dev/null",
                # A list in CSV: without the quotes the comma would end the first entry.
                "RCLONE_AUTH_KEY": f'"{self.access_key},{self.secret_key}"',
            },
            directory=directory,
            is_ready=lambda: is_listening(self.port),
            is_quiet=True,
        )


def prepare_valkey(folder: DataFolder) -> Valkey:
    """Choose Valkey's port and password, the same every time."""
    return Valkey(folder, folder.port("valkey"), folder.secret("redis_password"))


def prepare_object_store(folder: DataFolder) -> ObjectStore:
    """Choose the store's port and keys, the same every time."""
    access_key = folder.secret("s3_access_key")[:ACCESS_KEY_LENGTH].upper()
    return ObjectStore(folder, folder.port("s3"), access_key, folder.secret("s3_secret_key"))


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on this port of this machine."""
    try:
        socket.create_connection((LOCALHOST, port), timeout=1).close()
    except OSError:
        return False
    return True
