"""No hostile address is ever connected to: not by its form, not by its name, not by a redirect."""

import asyncio
import gzip
import socket
import threading
from asyncio.selector_events import BaseSelectorEventLoop
from collections.abc import Generator
from typing import Any

import pytest
from aiohttp import web

from gateways import web_pages
from gateways.web_addresses import BadAddress, canonical, is_public
from gateways.web_pages import WebFailed
from tests.embedded.fake_web.served import served_app

HOSTILE = [
    *("http://127.0.0.1/", "http://127.0.0.1:80/", "http://127.8.8.8/", "http://0.0.0.0/"),
    *("http://10.0.0.1/", "http://172.16.0.1/", "http://172.31.255.255/", "http://192.168.1.1/"),
    *("http://169.254.169.254/latest/meta-data/", "http://169.254.170.2/", "http://100.64.0.1/"),
    *("http://192.0.0.192/", "http://192.0.2.1/", "http://192.88.99.1/", "http://198.18.0.1/"),
    *("http://198.51.100.1/", "http://203.0.113.1/", "http://224.0.0.1/", "http://240.0.0.1/"),
    *("http://255.255.255.255/", "http://[::1]/", "http://[::]/", "http://[fe80::1]/"),
    *("http://[fe80::1%25eth0]/", "http://[fc00::1]/", "http://[fd00:ec2::254]/"),
    *("http://[ff02::1]/", "http://[::ffff:127.0.0.1]/", "http://[::ffff:7f00:1]/"),
    *("http://[::ffff:0:127.0.0.1]/", "http://[::127.0.0.1]/", "http://[64:ff9b::127.0.0.1]/"),
    *("http://[64:ff9b::a9fe:a9fe]/", "http://[64:ff9b:1::7f00:1]/", "http://[2002:7f00:1::]/"),
    *("http://[2002:a9fe:a9fe::1]/", "http://[2001:0:4136:e378:8000:63bf:80ff:fffe]/"),
    *("http://[2001:db8::1]/", "http://[fe80::5efe:127.0.0.1]/", "http://[2001:470::5efe:a00:1]/"),
    *("http://[3fff::1]/", "http://[100::1]/", "http://2130706433/", "http://0x7f000001/"),
    *("http://0177.0.0.1/", "http://127.1/", "http://0x7f.1/", "http://0/", "http://localhost/"),
    *("http://LOCALHOST./", "http://a.localhost/", "http://metadata.google.internal/"),
    *("http://printer.local/", "http://router.lan/", "http://１２７.0.0.1/"),
    *("http://①②⑦.0.0.1/", "http://127。0。0。1/", "http://%31%32%37.0.0.1/"),
    *(
        "http://public.test@127.0.0.1/",
        "http://127.0.0.1\\@public.test/",
        "http://user:pw@1.1.1.1/",
    ),
    *("http://1.1.1.1:6379/", "https://1.1.1.1:80/", "ftp://1.1.1.1/", "file:///etc/passwd"),
    *("gopher://127.0.0.1/", "javascript:alert(1)", "//127.0.0.1/", "http:///x", "http://"),
]
INNER = [
    *("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.100.100.200", "0.0.0.0", "192.168.0.1"),
    *("::1", "fd00::1", "fe80::1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"),
]


class Sockets:
    """Notes every address that a socket was made for, and lets none connect.

    Sockets with a name in the file system lead no further than this machine: a cell that another
    test has running in this process is watched through one.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.connected: list[Any] = []

        theirs = BaseSelectorEventLoop.sock_connect

        async def connect(loop: Any, one: socket.socket, address: Any) -> None:
            if one.family == socket.AF_UNIX:
                return await theirs(loop, one, address)
            self.connected.append(address)
            raise ConnectionRefusedError

        monkeypatch.setattr(BaseSelectorEventLoop, "sock_connect", connect)


class Names:
    """Answers for the resolver of the system: one list of addresses after the other."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> None:
        self.left = list(answers)

        def look_up(_host: str, port: int, *_: object, **__: object) -> list[Any]:
            found = self.left.pop(0) if len(self.left) > 1 else self.left[0]
            return [_info(address, port) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", look_up)


def _info(address: str, port: int) -> Any:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return (family, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (address, port))


@pytest.mark.parametrize("address", HOSTILE)
def test_no_form_of_an_address_leads_inside(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = Sockets(monkeypatch)
    with pytest.raises((BadAddress, WebFailed)):
        web_pages.ask(canonical(address), seconds=2)
    assert sockets.connected == []


def test_there_are_sixty() -> None:
    assert len({*HOSTILE}) + len(INNER) >= 60


@pytest.mark.parametrize("address", INNER)
def test_no_name_leads_inside(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = Sockets(monkeypatch)
    Names(monkeypatch, [address])
    with pytest.raises(WebFailed, match="not_public"):
        web_pages.ask("http://innocent.test/", seconds=2)
    assert sockets.connected == []


def test_of_many_addresses_only_the_public_one_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    sockets = Sockets(monkeypatch)
    Names(monkeypatch, ["10.0.0.1", "1.1.1.1", "::1"])
    with pytest.raises(WebFailed, match="unreachable"):
        web_pages.ask("http://innocent.test/", seconds=2)
    assert sockets.connected == [("1.1.1.1", 80)]


def test_a_name_that_leads_elsewhere_the_next_time_gains_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The address that was looked at is the one that is connected to: nobody asks twice."""
    sockets = Sockets(monkeypatch)
    names = Names(monkeypatch, ["1.1.1.1"], ["127.0.0.1"])
    with pytest.raises(WebFailed):
        web_pages.ask("http://rebinding.test/", seconds=2)
    assert sockets.connected == [("1.1.1.1", 80)]
    assert names.left == [["127.0.0.1"]]
    with pytest.raises(WebFailed, match="not_public"):
        web_pages.ask("http://rebinding.test/", seconds=2)
    assert len(sockets.connected) == 1


def test_what_no_resolver_is_asked_about_has_no_socket_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last wall stands by itself, where the form of an address has passed."""
    sockets = Sockets(monkeypatch)
    monkeypatch.setattr(web_pages, "canonical", str)
    for address in ("http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/"):
        with pytest.raises(WebFailed, match="not_public"):
            web_pages.ask(address, seconds=2)
    assert sockets.connected == []


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("HTTP://A.Example:80#x", "http://a.example/"),
        ("https://a.example?q=1", "https://a.example/?q=1"),
        ("http://a.example/b/../c%20d?q=a b", "http://a.example/c%20d?q=a+b"),
        ("http://bücher.example/ü", "http://xn--bcher-kva.example/%C3%BC"),
    ],
)
def test_an_address_has_one_form(given: str, wanted: str) -> None:
    assert canonical(given) == wanted
    assert canonical(wanted) == wanted


def test_public_addresses_are_public() -> None:
    for address in ("1.1.1.1", "8.8.8.8", "2606:4700:4700::1111", "64:ff9b::101:101"):
        assert is_public(address)


OURS = {"Host", "User-Agent", "Accept", "Accept-Encoding", "Connection"}


class Site:
    """A site below `.example`; `seen` has the headers that came."""

    def __init__(self) -> None:
        self.seen: list[dict[str, str]] = []
        self.released = threading.Event()

    def app(self) -> web.Application:
        app = web.Application()
        app.add_routes([web.get("/{what:.*}", self._show)])
        return app

    async def _show(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(dict(request.headers))
        what = request.match_info["what"]
        if what.startswith("to/"):
            return web.Response(status=302, headers={"Location": what[3:]})
        if what == "bomb":
            packed = gzip.compress(b"0" * 200_000_000)
            return web.Response(body=packed, headers={"Content-Encoding": "gzip"})
        if what == "cookie":
            return web.Response(text="ok", headers={"Set-Cookie": "a=b; Path=/"})
        if what == "endless":
            return await _pour(request)
        if what == "slow":
            await asyncio.sleep(30)
        return web.Response(body=b"x" * 3_000_000, headers={"Cache-Control": "private"})


async def _pour(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse()
    await answer.prepare(request)
    while True:
        await answer.write(b"x" * 100_000)
        await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def site() -> Generator[tuple[Site, str]]:
    served = Site()
    with served_app(served.app()) as port:
        yield served, f"127.0.0.1:{port}"


def _ask(site: tuple[Site, str], path: str, seconds: float = 5) -> web_pages.WebAnswer:
    return web_pages.ask(f"http://site.example/{path}", seconds=seconds, example_address=site[1])


@pytest.mark.parametrize(
    "target",
    ["http://127.0.0.1/", "http://[::1]/", "http://169.254.169.254/x", "file:///etc/passwd"],
)
def test_no_redirect_leads_inside(site: tuple[Site, str], target: str) -> None:
    with pytest.raises(BadAddress):
        _ask(site, f"to/{target}")


def test_a_redirect_is_told_and_not_followed(site: tuple[Site, str]) -> None:
    before = len(site[0].seen)
    assert _ask(site, "to//next").location == "http://site.example/next"
    assert len(site[0].seen) == before + 1


def test_too_much_is_cut_however_it_is_packed(site: tuple[Site, str]) -> None:
    for path in ("large", "bomb", "endless"):
        answer = _ask(site, path)
        assert (len(answer.body), answer.is_cut) == (web_pages.PAGE_BYTES, True)


def test_what_takes_too_long_is_not_waited_for(site: tuple[Site, str]) -> None:
    with pytest.raises(WebFailed, match="too_slow"):
        _ask(site, "slow", seconds=0.3)


def test_nothing_of_ours_goes_along(
    site: tuple[Site, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    _ask(site, "cookie")
    assert _ask(site, "cookie").is_shared
    assert not _ask(site, "private").is_shared
    for headers in site[0].seen[-3:]:
        assert set(headers) == OURS


def test_only_names_below_example_are_looked_for_elsewhere(
    site: tuple[Site, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sockets = Sockets(monkeypatch)
    Names(monkeypatch, ["127.0.0.1"])
    with pytest.raises(WebFailed, match="not_public"):
        web_pages.ask("http://site.example.test/", seconds=2, example_address=site[1])
    assert sockets.connected == []
