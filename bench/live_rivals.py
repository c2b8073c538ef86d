# pyright: reportUnknownMemberType=false
"""The two ends between which the live streams are measured.

`app` is the usual Flask way: a thread and a Redis connection for each client. As a program this is
the least that Python can do: asyncio, one Redis connection, no framework, no login.
"""

import asyncio
import os
import sys
from collections.abc import Iterator
from typing import Any

import redis
import redis.asyncio
from flask import Flask, Response

app = Flask(__name__, static_folder=None)


@app.get("/healthz")
def alive() -> str:
    return "ok\n"


@app.get("/chat/<conversation_id>/events")
def follow(conversation_id: str) -> Response:
    def _events() -> Iterator[str]:
        yield "retry: 1000\n\n"
        client: Any = redis.Redis.from_url(os.environ["REDIS_URL"], decode_responses=True)  # noqa: TID251  # a program of its own
        with client.pubsub() as pubsub:
            pubsub.subscribe(f"c:{conversation_id}")
            for message in pubsub.listen():
                if message["type"] == "message":
                    yield f"data: {message['data']}\n\n"

    return Response(_events(), mimetype="text/event-stream")


async def _floor(port: int, url: str) -> None:
    client: Any = redis.asyncio.Redis.from_url(url, decode_responses=True)
    lookers: dict[str, list[asyncio.StreamWriter]] = {}

    async def _take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        if "/healthz" in head:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nok\n")
            writer.close()
            return
        lookers.setdefault(f"c:{head.split('/')[2]}", []).append(writer)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\nretry: 1000\n\n")

    server = await asyncio.start_server(_take, "127.0.0.1", port, backlog=4096)
    async with server, client.pubsub() as pubsub:
        await pubsub.psubscribe("c:*")
        async for message in pubsub.listen():
            for writer in lookers.get(message["channel"] or "", ()):
                writer.write(f"data: {message['data']}\n\n".encode())


if __name__ == "__main__":
    asyncio.run(_floor(int(sys.argv[1]), sys.argv[2]))
