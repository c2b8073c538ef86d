"""A wire to PostgreSQL that can be cut at any request, before or after the server heard it.

It is a proxy on a socket: what is tested connects to it and notices nothing, until it is cut.
"""

import enum
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from typing import IO

import sqlalchemy as sa

LOCALHOST = "127.0.0.1"
# What a client says to log in with a password, and the server's words that ask for it.
ASKS_FOR_PROOF = {3, 5, 10, 11}
# The last message of a request: a simple query, or the end of an extended one.
REQUEST_ENDS = {b"Q", b"S"}
GOOD_BYE = b"X"
READY = b"Z"


class Cut(enum.StrEnum):
    """How a request is lost."""

    # It never arrives.
    UNSENT = "unsent"
    # It has its effect, and the client never hears of it.
    UNHEARD = "unheard"
    # The server ends the session before it comes.
    ENDED = "ended"


class HungUp(ConnectionError):
    """One end is gone."""


class Wire:
    """Leads to the database at `url` by an address of its own, and counts the requests."""

    def __init__(self, url: str, before_cut: Callable[[], object] = lambda: None) -> None:
        """Call `before_cut` when a cut is due: while the client still waits for its answer."""
        self._there = sa.make_url(url)
        self._before_cut = before_cut
        self._listener = socket.create_server((LOCALHOST, 0))
        self._lock = threading.Lock()
        self._plan: tuple[int, Cut] | None = None
        self.is_cut = False
        self.requests = 0
        port = int(self._listener.getsockname()[1])
        here = self._there.set(host=LOCALHOST, port=port)
        # So the first words of a connection are those that count.
        here = here.update_query_dict({"sslmode": "disable", "gssencmode": "disable"})
        self.url = here.render_as_string(hide_password=False)
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self, at: int, how: Cut) -> None:
        """Lose the `at`-th request from now on, which is the first one for 1; once."""
        with self._lock:
            self._plan, self.is_cut = (self.requests + at, how), False

    def mend(self) -> None:
        """Lose nothing any more."""
        with self._lock:
            self._plan = None

    def close(self) -> None:
        """Take no further connections."""
        # Waking up whoever waits for one.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._lead, args=(client,), daemon=True).start()

    def _lead(self, client: socket.socket) -> None:
        server = socket.create_connection((self._there.host or LOCALHOST, self._there.port or 5432))
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with client, server, suppress(OSError):
            line = _Line(client, server)
            line.log_in()
            while self._pass_on(line):
                """Until a cut is due."""

    def _pass_on(self, line: "_Line") -> bool:
        request = line.request()
        how = self._due()
        if how is Cut.UNSENT:
            self._before_cut()
            return False
        if how is Cut.ENDED:
            self._end_session(line.server_port)
        line.send(request)
        if how is Cut.UNHEARD:
            line.skip_answer()
            self._before_cut()
            return False
        line.answer()
        return True

    def _due(self) -> Cut | None:
        with self._lock:
            self.requests += 1
            if self._plan is None or self.requests < self._plan[0]:
                return None
            how, self._plan, self.is_cut = self._plan[1], None, True
            return how

    def _end_session(self, port: int) -> None:
        engine = sa.create_engine(
            self._there.set(drivername="postgresql+psycopg"), poolclass=sa.NullPool
        )
        with engine.connect() as db:
            ended = sa.text("""
                SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE client_port = :port""")
            db.execute(ended, {"port": port})


class _Line:
    """One connection: requests one way, each with its answer the other."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self._client, self._server = client, server
        self._asked, self._answered = client.makefile("rb"), server.makefile("rb")
        self.server_port = int(server.getsockname()[1])

    def log_in(self) -> None:
        """Pass on what is said until the server is ready."""
        size = _read(self._asked, 4)
        self.send(size + _read(self._asked, int.from_bytes(size) - 4))
        while True:
            kind, message = _message(self._answered)
            self._client.sendall(message)
            if kind == READY:
                return
            if kind == b"R" and int.from_bytes(message[5:9]) in ASKS_FOR_PROOF:
                self.send(_message(self._asked)[1])

    def request(self) -> bytes:
        """Read one."""
        said = b""
        while True:
            kind, message = _message(self._asked)
            said += message
            if kind == GOOD_BYE:
                raise HungUp
            if kind in REQUEST_ENDS:
                return said

    def send(self, request: bytes) -> None:
        self._server.sendall(request)

    def answer(self) -> None:
        """Pass the answer to a request on."""
        for message in self._messages():
            self._client.sendall(message)

    def skip_answer(self) -> None:
        """Wait for the answer, which nobody hears."""
        for _ in self._messages():
            """Unheard."""

    def _messages(self) -> Generator[bytes]:
        kind = b""
        while kind != READY:
            kind, message = _message(self._answered)
            yield message


def _message(stream: IO[bytes]) -> tuple[bytes, bytes]:
    """Read a message: its kind, and all of it."""
    head = _read(stream, 5)
    return head[:1], head + _read(stream, int.from_bytes(head[1:]) - 4)


def _read(stream: IO[bytes], size: int) -> bytes:
    found = stream.read(size)
    if len(found) < size:
        raise HungUp
    return found


@contextmanager
def wire_to(url: str, before_cut: Callable[[], object] = lambda: None) -> Generator[Wire]:
    """A wire that takes no more connections afterwards."""
    wire = Wire(url, before_cut)
    try:
        yield wire
    finally:
        wire.close()
