"""Public pages that somebody has read, kept for others for a while, in Redis.

A page is found by its address alone: nothing says who read it. What is lost is read again.
"""

import json
import zlib
from hashlib import sha256
from typing import Any, cast

import redis

from gateways.event_streams import connect

# Packed, and unpacked: larger ones are read each time.
MOST_BYTES = 256 * 1024
MOST_UNPACKED = 4 * 1024 * 1024


class PageCache:
    """Keeps documents by an address and what they are of it; without Redis it keeps nothing."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url, as_text=False)

    def find(self, kind: str, url: str) -> dict[str, Any] | None:
        """Return what is kept; None if nothing is, or not any more."""
        try:
            packed = cast(bytes | None, self._client.get(_key(kind, url)))
        except redis.RedisError:
            return None
        if packed is None:
            return None
        return json.loads(zlib.decompressobj().decompress(packed, MOST_UNPACKED))

    def keep(self, kind: str, url: str, document: dict[str, Any], *, seconds: int) -> None:
        """Keep a document for so long, unless it is too large."""
        packed = zlib.compress(json.dumps(document).encode())
        if len(packed) > MOST_BYTES:
            return
        try:
            self._client.set(_key(kind, url), packed, ex=seconds)
        except redis.RedisError:
            return


def _key(kind: str, url: str) -> str:
    return f"web:{kind}:{sha256(url.encode()).hexdigest()}"
