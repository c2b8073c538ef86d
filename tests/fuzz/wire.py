"""Sends requests over a socket, as logged-in people do, and looks at what comes back."""

import http.client
import re
import time
from contextlib import suppress
from dataclasses import dataclass
from html import unescape

from embedded.fake_stripe.deliveries import signature
from tests import factories
from tests.fuzz.bodies import URLENCODED, urlencoded
from tests.fuzz.fields import Visitor
from tests.fuzz.requests import Sent
from tests.fuzz.world import ADDRESSES, ROLES, Role

PATIENCE_SECONDS = 60
TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')
COOKIE = re.compile(r"session=([^;]+)")
STREAM = "text/event-stream"
# The site may answer, and hang up, before all of such a body has gone.
LARGE_BYTES = 100_000
UNSENDABLE = re.compile(r"[^\x20-\x7e\x80-\xff]|^\s|\s$")


@dataclass(frozen=True)
class Answer:
    """What came back; of a stream only its beginning. Status 0: nothing did."""

    status: int
    seconds: float
    body: bytes


class Wire:
    """Everybody's connections to one site."""

    def __init__(self, port: int, webhook_secret: str) -> None:
        self._port, self._secret = port, webhook_secret
        self._open: http.client.HTTPConnection | None = None
        self._visitors: dict[Role, Visitor] = {}

    def log_in(self) -> None:
        """Log everybody in anew."""
        self._visitors = {role: self._log_in(role) for role in ROLES}

    def send(self, sent: Sent) -> Answer:
        """Send it as its person; try once more where the site had closed an idle connection."""
        first = self._send(sent)
        return self._send(sent) if first.status == 0 else first

    def close(self) -> None:
        if self._open is not None:
            self._open.close()
        self._open = None

    def _send(self, sent: Sent) -> Answer:
        began = time.perf_counter()
        try:
            status, body = self._ask(sent)
        except (OSError, http.client.HTTPException):
            self.close()
            status, body = 0, b""
        seconds = time.perf_counter() - began
        if status == 0 and len(sent.body) > LARGE_BYTES:
            status = 413
        return Answer(status, seconds, body)

    def _ask(self, sent: Sent) -> tuple[int, bytes]:
        connection = self._connection()
        url = f"{sent.path}?{sent.query}" if sent.query else sent.path
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(sent.method, url, sent.body or None, self._headers(sent))
        answer = connection.getresponse()
        if STREAM in (answer.getheader("Content-Type") or ""):
            body = answer.read1(1_000)
            self.close()
        else:
            body = answer.read()
        if answer.will_close:
            self.close()
        return answer.status, body

    def _headers(self, sent: Sent) -> dict[str, str]:
        visitor = self._visitors[sent.role]
        named = {"Cookie": visitor.cookie}
        if sent.has_token:
            named["X-CSRFToken"] = visitor.token
        if sent.content_type:
            named["Content-Type"] = sent.content_type
        for name, value in sent.headers.items():
            if name == "Stripe-Signature" and value == "sign":
                named[name] = signature(sent.body, self._secret, int(time.time()))
            else:
                # What http.client lets through: letters of Latin-1 on one line.
                named[name] = UNSENDABLE.sub("", value)
        return named

    def _connection(self) -> http.client.HTTPConnection:
        if self._open is None:
            self._open = http.client.HTTPConnection(
                "127.0.0.1", self._port, timeout=PATIENCE_SECONDS
            )
        return self._open

    def _log_in(self, role: Role) -> Visitor:
        cookie, page = self._page("GET", "/", "")
        if role != "stranger":
            form = {
                "csrf_token": _token(page),
                "email": ADDRESSES[role],
                "password": factories.PASSWORD,
            }
            cookie, _ = self._page("POST", "/login", cookie, urlencoded(form.items()))
            cookie, page = self._page("GET", "/prices", cookie)
        return Visitor(f"session={cookie}", _token(page))

    def _page(self, method: str, path: str, cookie: str, body: str = "") -> tuple[str, str]:
        """Ask for a page; return the cookie as it is afterwards, and the page."""
        headers = {"Cookie": f"session={cookie}", "Content-Type": URLENCODED}
        connection = self._connection()
        connection.request(method, path, body or None, headers)
        answer = connection.getresponse()
        text = answer.read().decode()
        assert answer.status < 400, f"{path}: {answer.status}"
        if answer.will_close:
            self.close()
        given = COOKIE.search(answer.getheader("Set-Cookie") or "")
        return given[1] if given else cookie, text


def _token(page: str) -> str:
    found = TOKEN.search(page)
    assert found
    return unescape(found[1])
