"""Frames between the product and a helper: a small JSON object and a body, both of bounded size."""

import json
import socket
import struct
from collections.abc import Callable, Mapping
from typing import Any, cast

HEAD = struct.Struct(">II")
NOTE_BYTES = 64 * 1024
TOGETHER_BYTES = 256 * 1024


class BadFrame(Exception):
    """The other side sent what is no frame, or more than it may."""


def send(
    channel: socket.socket,
    note: Mapping[str, Any],
    body: bytes,
    pause: Callable[[], None] = lambda: None,
) -> None:
    """Send one frame. With a timeout on the channel `pause` is called at each, and may raise."""
    encoded = json.dumps(note).encode()
    head = HEAD.pack(len(encoded), len(body)) + encoded
    if len(body) <= TOGETHER_BYTES:
        # The other side wakes up once.
        head, body = head + body, b""
    _send_all(channel, head, pause)
    _send_all(channel, body, pause)


def receive(
    channel: socket.socket, *, most_bytes: int, pause: Callable[[], None] = lambda: None
) -> tuple[dict[str, Any], bytes]:
    """Receive one frame whose body has at most so many bytes.

    `pause` is called again and again while it waits, if the channel has a timeout, and may raise.
    Raises EOFError when the other side is gone, and BadFrame.
    """
    note_bytes, body_bytes = HEAD.unpack(_exactly(channel, HEAD.size, pause))
    if note_bytes > NOTE_BYTES or body_bytes > most_bytes:
        raise BadFrame("it is larger than it may be")
    try:
        note = json.loads(_exactly(channel, note_bytes, pause))
    except (ValueError, RecursionError) as error:
        raise BadFrame("it is no JSON") from error
    if not isinstance(note, dict):
        raise BadFrame("it is no object")
    return cast(dict[str, Any], note), bytes(_exactly(channel, body_bytes, pause))


def _send_all(channel: socket.socket, data: bytes, pause: Callable[[], None]) -> None:
    left = memoryview(data)
    while left:
        pause()
        try:
            left = left[channel.send(left) :]
        except TimeoutError:
            continue


def _exactly(channel: socket.socket, size: int, pause: Callable[[], None]) -> bytearray:
    data = bytearray(size)
    left = memoryview(data)
    while left:
        pause()
        try:
            got = channel.recv_into(left)
        except TimeoutError:
            continue
        if not got:
            raise EOFError
        left = left[got:]
    return data
