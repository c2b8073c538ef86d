"""Takes in what a cell asks: bounded as it arrives, read off the event loop, cut to its shape."""

import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from aiohttp import web

from agent.catalogue import Wire
from agent.meter.marks import unmarked_bytes
from agent.meter.prefixes import Sent
from agent.meter.rewriting import Prompt, rewrite
from agent.meter.scan import JsonScan, TooMuch
from agent.meter.shapes import SHAPES, Cut
from agent.meter.shapes.base import as_object
from agent.meter.wires import FORMATS, Body
from agent.meter.wires.base import most_tokens

# What the requests of one cell may have together: OpenClaw takes 14 MB of pictures with a message,
# in four bytes for three, and sends those of the message before once more.
MOST_BYTES = 40 * 1024 * 1024
# A blank spare is asked a word or two by ourselves.
MOST_WARM_UP_BYTES = 1024 * 1024
# Of larger requests one is read at a time, for the sake of memory and of everybody else's turn.
LARGE_BYTES = 256 * 1024
LONGEST_NUMBER = 100
_LARGE = ThreadPoolExecutor(1, thread_name_prefix="intake")


@dataclass(frozen=True)
class Asked:
    """A request as it may go out, the most tokens in it, and how many fields were left out.

    `sent` is what it is compared by with those before and after it.
    """

    body: Body
    most_tokens: int
    sent: Sent
    left_out: int


class Intake:
    """Reads the requests of one cell."""

    def __init__(self) -> None:
        self._held_bytes = 0

    async def read(self, request: web.Request, most_bytes: int = MOST_BYTES) -> bytes:
        """Return the body of a request. Raises TooMuch, without having read all of it then.

        It counts against what the cell may send at a time until `release`.
        """
        self._room_for(request.content_length or 0, most_bytes)
        scan, read = JsonScan(), bytearray()
        try:
            async for chunk in request.content.iter_any():
                self._room_for(len(chunk), most_bytes)
                self._held_bytes += len(chunk)
                read += chunk
                scan.feed(chunk)
        except BaseException:
            self._held_bytes -= len(read)
            raise
        return bytes(read)

    def release(self, size: int) -> None:
        """Note that a request of this size, which was read, is over."""
        self._held_bytes -= size

    def _room_for(self, more: int, most_bytes: int) -> None:
        if self._held_bytes + more > most_bytes:
            raise TooMuch("bytes")


async def parsed(wire: Wire, document: bytes, prompt: Prompt) -> Asked:
    """Read a request of a wire in a thread. Raises ValueError for no JSON, and NotAllowed.

    It has our instructions then.
    """
    thread = _LARGE if len(document) > LARGE_BYTES else None
    return await asyncio.get_running_loop().run_in_executor(thread, _parsed, wire, document, prompt)


def json_object(document: bytes) -> Body:
    """Read a JSON object. Raises ValueError, and NotAllowed for other JSON."""
    # Said to be UTF-8, since other encodings would not have been seen through by the scan.
    written = str(document, "utf-8")
    return as_object(json.loads(written, parse_constant=_finite, parse_float=_finite))


def _parsed(wire: Wire, document: bytes, prompt: Prompt) -> Asked:
    cut = Cut()
    body = as_object(SHAPES[wire](json_object(unmarked_bytes(document)), cut))
    rewrite(FORMATS[wire], body, prompt)
    return Asked(body, most_tokens(body), Sent(body), cut.left_out)


def _finite(written: str) -> float:
    # Reading millions of digits takes seconds.
    value = float(written[:LONGEST_NUMBER])
    if len(written) > LONGEST_NUMBER or not math.isfinite(value):
        raise ValueError("no number of JSON's")
    return value
