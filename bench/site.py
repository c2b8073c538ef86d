"""The website alone, served as the product serves it, and people who are logged in to it."""

import os
import subprocess
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from sqlalchemy.orm import Session

from embedded import product
from embedded.process import Program, wait_done
from embedded.stack import READY_SECONDS, Services
from embedded.web_port import take_port
from models.base import Base, new_id, utc_now
from models.schema.chat import Conversation
from models.schema.sessions import UserSession
from models.schema.users import User
from models.schema.workers import Worker
from tests.house import SETTINGS

MIGRATION_SECONDS = 120
ROWS_AT_ONCE = 5000


@dataclass(frozen=True)
class Served:
    """A gunicorn that serves: its port, and the process that does the work."""

    port: int
    pid: int

    def resident_bytes(self) -> int:
        """What it takes of the machine's memory, without what it shares with its parent."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise AssertionError("no such line")

    def cpu_seconds(self) -> float:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Visitor:
    """Somebody with a login and a conversation."""

    id: UUID
    conversation_id: UUID
    cookie: str

    def request(self, path: str, **headers: str) -> bytes:
        """A GET as their browser sends it."""
        named = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        return (
            f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Cookie: session={self.cookie}\r\n{named}\r\n"
        ).encode()


class Site(Services):
    """PostgreSQL, Valkey and the rest, with the product's tables."""

    def start(self) -> None:
        """Start the services, make the tables, and let a worker seem to be there."""
        super().start()
        self._environment |= {**SETTINGS, "S3_BUCKET": "bench"}
        wait_done(
            self.supervisor.start(product.migrations(self._environment)), seconds=MIGRATION_SECONDS
        )
        url = sa.make_url(self._environment["DATABASE_URL"]).set(drivername="postgresql+psycopg")
        self.engine = sa.create_engine(url)
        with self.database() as db:
            for_ever = utc_now() + timedelta(days=1)
            db.add(Worker(host="bench", capacity=1, spare=1, seen_at=for_ever))

    @contextmanager
    def database(self) -> Generator[Session]:
        with Session(self.engine) as db, db.begin():
            yield db

    def insert(self, table: type[Base], rows: Sequence[dict[str, Any]]) -> None:
        """Write many rows at once."""
        with self.engine.begin() as connection:
            for begin in range(0, len(rows), ROWS_AT_ONCE):
                connection.execute(sa.insert(table), rows[begin : begin + ROWS_AT_ONCE])

    def visitors(self, count: int) -> list[Visitor]:
        """People who signed up and logged in, each with a conversation."""
        people = [new_id() for _ in range(count)]
        sessions = [new_id() for _ in people]
        conversations = [new_id() for _ in people]
        self.insert(User, [_person(person) for person in people])
        lasts = {"expires_at": utc_now() + timedelta(days=1)}
        logins = zip(sessions, people, strict=True)
        self.insert(UserSession, [{"id": one, "user_id": of, **lasts} for one, of in logins])
        talks = zip(conversations, people, strict=True)
        self.insert(Conversation, [{"id": one, "user_id": of, "title": "T"} for one, of in talks])
        cookies = _cookies(self._environment["SECRET_KEY"], sessions)
        return [Visitor(*one) for one in zip(people, conversations, cookies, strict=True)]

    @contextmanager
    def serves(
        self, application: str = "wsgi:app", *flags: str, **settings: str
    ) -> Generator[Served]:
        """Serve an application with the product's gunicorn settings; later `flags` win."""
        with take_port(0) as listener, (self.folder.logs / "bench.log").open("ab") as log:
            port = int(listener.getsockname()[1])
            program = product.web({**self._environment, **settings}, listener.fileno(), port)
            process = subprocess.Popen(
                [*program.command[:-1], *flags, application],
                cwd=program.directory,
                env=program.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=program.inherits,
            )
            try:
                _wait_until_ready(program)
                yield Served(port, _only_child(process.pid))
            finally:
                process.terminate()
                process.wait()


def _person(user_id: UUID) -> dict[str, Any]:
    return {
        "id": user_id,
        "email": f"{user_id}@example.org",
        "password_hash": "-",
        "name": "Grace",
        "timezone": "Europe/Berlin",
        "needs": "My garden",
        "onboarded_at": utc_now(),
        "credits_balance_micros": 1_000_000,
    }


def _cookies(secret_key: str, session_ids: Sequence[UUID]) -> list[str]:
    app = Flask("bench")
    app.secret_key = secret_key
    signer = SecureCookieSessionInterface().get_signing_serializer(app)
    assert signer
    remembered = {"_fresh": True, "_permanent": True, "csrf_token": "0" * 40}
    return [str(signer.dumps({**remembered, "_user_id": str(one)})) for one in session_ids]


def _wait_until_ready(program: Program) -> None:
    ends = time.monotonic() + READY_SECONDS
    while not program.is_ready():
        assert time.monotonic() < ends, "the website did not come up"
        time.sleep(0.1)


def _only_child(pid: int) -> int:
    [child] = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return int(child)
