"""Small requests over HTTP, without an event loop: web processes run under gevent.

Addresses of the Bot API have the bot's token in them. So errors carry the name of what happened and
never an address, and are raised where no other error can be seen behind them.
"""

import io
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import requests
from urllib3.exceptions import HTTPError

CHUNK_BYTES = 64 * 1024
# They log the addresses that they ask; the last one what it could not read as well.
MUTED = {
    "httpx": logging.WARNING,
    "httpcore": logging.WARNING,
    "urllib3": logging.WARNING,
    "telegram": logging.CRITICAL,
}


class RequestFailed(Exception):
    """No answer came, or none that can be used; `str()` names what happened, and no address."""


class TooLong(RequestFailed):
    """The answer has more bytes than were asked for."""


@dataclass(frozen=True)
class Answer:
    """What a server answered, whatever its status."""

    status: int
    media_type: str
    content: bytes


def mute_loggers() -> None:
    """Let no library log a token, whatever the level of the log is."""
    for name, level in MUTED.items():
        logging.getLogger(name).setLevel(level)


def request(
    method: str,
    url: str,
    *,
    most_bytes: int,
    timeout_seconds: float,
    total_seconds: float,
    **given: Any,
) -> Answer:
    """Send a request and read its answer, up to `most_bytes` and for `total_seconds` at most.

    `timeout_seconds` is how long it may take to connect, and how long nothing may come. No redirect
    is followed. `given` is what requests.request takes besides. Raises RequestFailed.
    """
    try:
        with requests.request(
            method, url, timeout=timeout_seconds, allow_redirects=False, stream=True, **given
        ) as response:
            content = _read(response, most_bytes, time.monotonic() + total_seconds)
            return Answer(response.status_code, _media_type(response.headers), content)
    except RequestFailed as failed:
        failure = failed
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        failure = RequestFailed(type(error).__name__)
    raise failure


def _read(response: requests.Response, most_bytes: int, ends: float) -> bytes:
    content = io.BytesIO()
    for chunk in response.iter_content(CHUNK_BYTES):
        content.write(chunk)
        if content.tell() > most_bytes:
            raise TooLong("too long")
        if time.monotonic() > ends:
            raise RequestFailed("too slow")
    return content.getvalue()


def _media_type(headers: Mapping[str, str]) -> str:
    return headers.get("Content-Type", "").partition(";")[0].strip().lower()
