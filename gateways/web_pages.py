"""Reads one address of the public web, and never anything that is not public.

Every address that is connected to has been looked at: a resolver keeps the public ones, which are
then connected to as they are, and the socket itself is made for no other. Redirects are told and
not followed. Nothing of ours goes along: no cookies, no credentials, no proxy.
"""

import asyncio
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from gateways.web_addresses import BadAddress, canonical, is_public

AGENT = "ShellmateReader"
PAGE_BYTES = 2_000_000
CONNECT_SECONDS = 6.0
REDIRECTS = {301, 302, 303, 307, 308}
# Nobody can register one.
EXAMPLE = ".example"
ACCEPTED = "text/html,application/xhtml+xml,application/pdf;q=0.9,text/*;q=0.8"

# As `socket.getaddrinfo` tells one: family, type, protocol, name, address.
Info = tuple[int, int, int, str, tuple[Any, ...]]
Fault = Literal["not_public", "unreachable", "too_slow"]


class WebFailed(Exception):
    """An address brought no answer; `str()` says more of it for a log."""

    def __init__(self, fault: Fault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}"[:300])
        self.fault: Fault = fault


@dataclass(frozen=True)
class WebAnswer:
    """What an address answered. `location` is where it redirects to, already canonical."""

    status: int
    media_type: str
    charset: str
    body: bytes
    is_cut: bool
    # Whether others may be shown the same answer.
    is_shared: bool
    location: str | None = None


def ask(
    url: str, *, seconds: float, most_bytes: int = PAGE_BYTES, example_address: str | None = None
) -> WebAnswer:
    """Ask an address that is canonical, and read up to `most_bytes` of what it answers.

    Names below `.example` are looked for at `example_address`, if there is one. Blocking. Raises
    WebFailed; BadAddress for a redirect to where nobody may go.
    """
    if canonical(url) != url:
        raise BadAddress("not canonical")
    resolver = _PublicOnly(example_address)
    try:
        return asyncio.run(_ask(url, seconds, most_bytes, resolver))
    except TimeoutError as late:
        raise WebFailed("too_slow", url) from late
    except (aiohttp.ClientError, OSError, ValueError) as error:
        is_inner = isinstance(error.__cause__ or error, _NotPublic)
        raise WebFailed("not_public" if is_inner else "unreachable", repr(error)) from error


async def _ask(url: str, seconds: float, most_bytes: int, resolver: "_PublicOnly") -> WebAnswer:
    connector = aiohttp.TCPConnector(
        resolver=resolver,
        use_dns_cache=False,
        force_close=True,
        socket_factory=resolver.make_socket,
    )
    headers = {"User-Agent": f"{AGENT}/1.0", "Accept": ACCEPTED, "Accept-Encoding": "gzip"}
    limits = aiohttp.ClientTimeout(total=seconds, sock_connect=min(CONNECT_SECONDS, seconds))
    async with (
        aiohttp.ClientSession(
            connector=connector,
            trust_env=False,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=limits,
        ) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        return await _read(answer, most_bytes, time.monotonic() + seconds)


async def _read(answer: aiohttp.ClientResponse, most_bytes: int, ends: float) -> WebAnswer:
    location = None
    body = bytearray()
    if answer.status in REDIRECTS and "Location" in answer.headers:
        location = canonical(str(answer.url.join(_url(answer.headers["Location"]))))
    else:
        async for chunk in answer.content.iter_chunked(16 * 1024):
            body += chunk
            if len(body) > most_bytes or time.monotonic() > ends:
                break
    control = answer.headers.get("Cache-Control", "").lower()
    return WebAnswer(
        status=answer.status,
        media_type=answer.content_type,
        charset=(answer.charset or "")[:40],
        body=bytes(body[:most_bytes]),
        is_cut=len(body) > most_bytes,
        is_shared="private" not in control and "no-store" not in control,
        location=location,
    )


def _url(given: str) -> URL:
    try:
        return URL(given)
    except ValueError as odd:
        raise BadAddress("a redirect to no address") from odd


class _NotPublic(OSError):
    """A name leads to no public address."""


class _PublicOnly(AbstractResolver):
    """Resolves names to addresses that are public, and makes sockets for no others."""

    def __init__(self, example_address: str | None) -> None:
        self._example = _parted(example_address) if example_address else None

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        if self._example and host.rstrip(".").endswith(EXAMPLE):
            return [_result(host, *self._example)]
        found = await self._look_up(host, port, family)
        kept = [one for one in found if is_public(one["host"])]
        if not kept:
            raise _NotPublic(host)
        return kept

    async def _look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> Sequence[ResolveResult]:
        infos = await asyncio.get_running_loop().getaddrinfo(
            host, port, type=socket.SOCK_STREAM, family=family
        )
        return [_result(host, str(info[4][0]), port, info[0]) for info in infos]

    def make_socket(self, info: Info) -> socket.socket:
        """Make the socket for one address; also for one that no resolver was asked about."""
        family, kind, protocol, _, given = info
        host, port = cast(tuple[str, int], given[:2])
        if (host, port) != self._example and not is_public(host):
            raise _NotPublic(host)
        made = socket.socket(family, kind, protocol)
        made.settimeout(0)
        return made

    async def close(self) -> None:
        """Nothing is kept open."""


def _result(host: str, address: str, port: int, family: int = socket.AF_INET) -> ResolveResult:
    return ResolveResult(
        hostname=host,
        host=address,
        port=port,
        family=family,
        proto=socket.IPPROTO_TCP,
        flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
    )


def _parted(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host, int(port)
