"""A server that answers as it is told to: a Bot API, or a web with a webhook.

Only what a test scripts is there. It speaks HTTP over a socket, and keeps what it was asked.
"""

import json
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, cast
from urllib.parse import parse_qsl

TOKEN = "123456:AAsecret-token_of-tests"
BOT = {"id": 123456, "is_bot": True, "first_name": "Bot", "username": "TestsBot"}
PIECE_BYTES = 1024 * 1024
SENT = {"message_id": 77, "date": 1, "chat": {"id": 5, "type": "private"}}


@dataclass(frozen=True)
class Reply:
    """What is answered: a status and a body, after a while, or nothing because it hangs up."""

    status: int = 200
    body: bytes = b""
    media_type: str = "application/json"
    delay_seconds: float = 0
    hangs_up: bool = False
    # Instead of the body: so many bytes, as long as somebody reads them.
    long_bytes: int = 0


def ok(result: Any) -> Reply:
    return Reply(body=json.dumps({"ok": True, "result": result}).encode())


def refusal(status: int, description: str, **parameters: Any) -> Reply:
    said: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    if parameters:
        said["parameters"] = parameters
    return Reply(status, json.dumps(said).encode())


@dataclass(frozen=True)
class Call:
    """What was asked: by which last part of the path, and with which fields."""

    name: str
    path: str
    headers: Mapping[str, str]
    fields: Mapping[str, Any]
    body: bytes


@dataclass
class Scripted:
    """A running server. What is scripted under a name is answered in order, the last one again."""

    url: str = ""
    calls: list[Call] = field(default_factory=list[Call])
    script: dict[str, deque[Reply]] = field(default_factory=lambda: defaultdict(deque[Reply]))

    def on(self, name: str, *replies: Reply) -> None:
        self.script[name] = deque(replies)

    def reply_to(self, call: Call) -> Reply:
        self.calls.append(call)
        replies = self.script.get(call.name)
        if not replies:
            return refusal(404, "Not Found")
        return replies.popleft() if len(replies) > 1 else replies[0]

    def called(self, name: str) -> list[Mapping[str, Any]]:
        """The fields of each call of a method."""
        return [call.fields for call in self.calls if call.name == name]


@contextmanager
def scripted() -> Generator[Scripted]:
    """Run a server on a free port of this machine."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.scripted.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield server.scripted
    finally:
        server.shutdown()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    # Many come at once.
    request_queue_size = 128

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.scripted = Scripted()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Nobody reads it."""

    def _answer(self, body: bytes) -> None:
        name = self.path.partition("?")[0].rpartition("/")[2]
        fields = _fields(body, self.headers.get("Content-Type", ""))
        call = Call(name, self.path, dict(self.headers.items()), fields, body)
        reply = cast(_Server, self.server).scripted.reply_to(call)
        time.sleep(reply.delay_seconds)
        with suppress(OSError):
            self._send(reply)

    def _send(self, reply: Reply) -> None:
        if reply.hangs_up:
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.media_type)
        self.send_header("Content-Length", str(reply.long_bytes or len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)
        for _ in range(0, reply.long_bytes, PIECE_BYTES):
            self.wfile.write(b"x" * PIECE_BYTES)


def _fields(body: bytes, media_type: str) -> dict[str, Any]:
    if media_type.startswith("application/x-www-form-urlencoded"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    if media_type.startswith("application/json"):
        return json.loads(body)
    if media_type.startswith("multipart/"):
        parts = message_from_bytes(b"Content-Type: " + media_type.encode() + b"\n\n" + body)
        return {
            str(part.get_param("name", header="content-disposition")): part
            for part in parts.walk()
            if not part.is_multipart()
        }
    return {}
