"""A provider that listens, as OpenAI and Gemini do, and does with each request what a test says."""

import json
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

WORDS = "Water the tomatoes, please."


@dataclass(frozen=True)
class Reply:
    """What it answers: bytes, or something as JSON, after a while."""

    body: Any
    status: int = 200
    after_seconds: float = 0.0
    headers: tuple[tuple[str, str], ...] = ()
    # Sent one by one, with so long between them.
    drip_seconds: float = 0.0

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def heard(text: str = WORDS, **usage: Any) -> Reply:
    """What OpenAI answers."""
    return Reply({"text": text, **({"usage": usage} if usage else {})})


def gemini_heard(text: str = WORDS, *, audio: int = 64, output: int = 9, **more: Any) -> Reply:
    """What Gemini answers."""
    parts = [{"text": json.dumps({"text": text})}]
    usage = {
        "promptTokenCount": audio + 100,
        "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": audio}],
        "candidatesTokenCount": output,
    }
    candidate = {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", **more}
    return Reply({"candidates": [candidate], "usageMetadata": usage, "responseId": "resp_1"})


@dataclass
class Asked:
    """A request that came in."""

    path: str
    headers: Message
    body: bytes


@dataclass
class Transcriber:
    """A running server. What is in `replies` is answered in turn; the last one for ever."""

    url: str
    replies: list[Reply] = field(default_factory=lambda: [heard()])
    asked: list[Asked] = field(default_factory=list[Asked])
    # Called while a request is under way, before its answer.
    meanwhile: Callable[[], object] | None = None

    def answers(self, *replies: Reply) -> None:
        self.replies[:] = replies

    def environment(self) -> dict[str, str]:
        """The settings by which it is OpenAI's."""
        return {"OPENAI_API_KEY": "key", "OPENAI_BASE_URL": f"{self.url}/v1"}

    def next_reply(self) -> Reply:
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]


@contextmanager
def served_transcriber() -> Generator[Transcriber]:
    """Serve one on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            running.asked.append(Asked(self.path, self.headers, body))
            reply = running.next_reply()
            if running.meanwhile is not None:
                running.meanwhile()
            time.sleep(reply.after_seconds)
            # Who asked may have gone.
            with suppress(OSError):
                self._send(reply)

        def _send(self, reply: Reply) -> None:
            self.send_response(reply.status)
            given = dict(reply.headers)
            for name, value in {"Content-Type": "application/json", **given}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.raw)))
            self.end_headers()
            pieces = [reply.raw]
            if reply.drip_seconds:
                pieces = [reply.raw[at : at + 1] for at in range(len(reply.raw))]
            for piece in pieces:
                self.wfile.write(piece)
                time.sleep(reply.drip_seconds)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = Transcriber(f"http://127.0.0.1:{server.server_port}")
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    try:
        yield running
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
