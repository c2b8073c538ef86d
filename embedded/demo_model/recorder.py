"""Keeps the latest requests for tests and drills to look at. No key is kept, only its hash."""

import asyncio
import hashlib
from collections import deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Literal

from embedded.demo_model.conversation import Body

KEPT = 1_000
KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key")


@dataclass
class Recorded:
    """One request, and how its answer ended: `hung_up` when the client did not wait for it."""

    path: str
    auth_header: str | None
    key_sha256: str | None
    headers: dict[str, str]
    body: Body
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    status: int | None = None
    bytes_sent: int = 0
    ended: Literal["open", "finished", "cut", "hung_up"] = "open"


class Recorder:
    """The latest requests, oldest first, and the gate at which `hold` waits."""

    def __init__(self) -> None:
        self._records: deque[Recorded] = deque(maxlen=KEPT)
        self.gate = asyncio.Event()

    def take(self, path: str, headers: Mapping[str, str], body: Body) -> Recorded:
        """Note that a request has come."""
        lowered = {name.lower(): value for name, value in headers.items()}
        auth = next((name for name in KEY_HEADERS if name in lowered), None)
        key = lowered[auth].removeprefix("Bearer ") if auth else None
        shown = {name: value for name, value in lowered.items() if name not in KEY_HEADERS}
        digest = hashlib.sha256(key.encode()).hexdigest() if key else None
        recorded = Recorded(path, auth, digest, shown, body)
        self._records.append(recorded)
        return recorded

    def listed(self) -> list[Body]:
        """Return what was recorded."""
        return [asdict(one) for one in self._records]

    def release(self) -> None:
        """Let go of every answer that is held now; later ones are held anew."""
        self.gate.set()
        self.gate = asyncio.Event()

    def take_out(self) -> list[Body]:
        """Return what was recorded, and forget it."""
        listed = self.listed()
        self._records.clear()
        return listed
