"""An HTTP client for one question, whose answer is bounded in time and in size."""

import time
from collections.abc import Iterator

import httpx2

CONNECT_SECONDS = 10.0


class UnwantedAnswer(httpx2.TransportError):
    """An answer has more bytes than anybody asked for, or is packed though nobody wanted that."""


def client(*, seconds: float, most_bytes: int) -> httpx2.Client:
    """Make a client for one question; after `seconds` it waits for nothing more.

    It follows no redirects. Raises httpx2.TransportError when the time is over, or for an answer of
    more than `most_bytes`.
    """
    return httpx2.Client(transport=_BoundedTransport(seconds, most_bytes), follow_redirects=False)


class _BoundedTransport(httpx2.BaseTransport):
    def __init__(self, seconds: float, most_bytes: int) -> None:
        self._ends = time.monotonic() + seconds
        self._most_bytes = most_bytes
        self._inner = httpx2.HTTPTransport()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        left = _left(self._ends)
        waits = {"connect": min(left, CONNECT_SECONDS), "read": left, "write": left, "pool": left}
        request.extensions = {**request.extensions, "timeout": waits}
        # What is packed could unpack to any size.
        request.headers["Accept-Encoding"] = "identity"
        answer = self._inner.handle_request(request)
        if answer.headers.get("content-encoding", "identity") != "identity":
            answer.close()
            raise UnwantedAnswer("the answer is packed")
        bounded = _BoundedStream(answer, self._ends, self._most_bytes)
        return httpx2.Response(
            answer.status_code,
            headers=answer.headers,
            stream=bounded,
            extensions=answer.extensions,
        )

    def close(self) -> None:
        self._inner.close()


class _BoundedStream(httpx2.SyncByteStream):
    def __init__(self, answer: httpx2.Response, ends: float, most_bytes: int) -> None:
        self._answer = answer
        self._ends = ends
        self._left_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._answer.iter_raw():
            _left(self._ends)
            self._left_bytes -= len(chunk)
            if self._left_bytes < 0:
                raise UnwantedAnswer("the answer is larger than it may be")
            yield chunk

    def close(self) -> None:
        self._answer.close()


def _left(ends: float) -> float:
    left = ends - time.monotonic()
    if left <= 0:
        raise httpx2.ReadTimeout("the time for an answer is over")
    return left
