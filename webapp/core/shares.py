"""How much of a web process one visitor may take: requests under way, and live streams.

Each process counts for itself, in memory: a share protects the others who are on this process, and
a count that is shared would outlive a process that died with it.
"""

from collections import Counter
from ipaddress import IPv6Address, ip_address, ip_network
from uuid import UUID

from flask import Flask, Response, request, session
from flask_limiter.util import get_remote_address
from werkzeug.exceptions import TooManyRequests

from models.ops import switches
from settings import Settings, get_settings
from webapp.core.auth import USER, find_current_user

# One customer's line has at least so many bits of an IPv6 address to itself.
IPV6_PREFIX = 64
RETRY_AFTER_SECONDS = 5
# They cost next to nothing, and must not look at a cookie: caches keep static files for everybody.
FOR_ANYBODY = {"static", "health.alive", "health.ready"}
# A messenger hands in what thousands write, from a few addresses of its own.
FOR_MANY = {"channel_webhooks.receive"}
# Where a request carries what was counted for it.
TAKEN = "shellmate.shares"

Key = tuple[str, str]


class Shares:
    """Counts what is under way, by visitor. Counting never waits, so no lock is needed."""

    def __init__(self) -> None:
        self._taken: Counter[Key] = Counter()

    def take(self, key: Key, most: int) -> None:
        """Count one more for `key`. Raises TooManyRequests (429) when `most` are under way."""
        if self._taken[key] >= most:
            raise TooManyRequests(retry_after=RETRY_AFTER_SECONDS)
        self._taken[key] += 1

    def give_back(self, key: Key) -> None:
        """Count one less for `key`."""
        self._taken[key] -= 1
        if self._taken[key] <= 0:
            del self._taken[key]


_shares = Shares()


def install(app: Flask, settings: Settings) -> None:
    """Refuse a request when its visitor has too many under way.

    Install it before what reads bodies: then a visitor who sends one slowly is counted meanwhile.
    """
    app.before_request(lambda: _begin(settings))
    app.teardown_request(_end)


def network() -> str:
    """Return the network that a visitor comes from: an IPv4 address, or the /64 of an IPv6 one."""
    given = get_remote_address()
    try:
        address = ip_address(given)
    except ValueError:
        return given
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ip_network((address, IPV6_PREFIX), strict=False).network_address)
    return str(address)


def visitor() -> str:
    """Name who is counted: the user who is logged in, else the network that a stranger is in."""
    user = find_current_user()
    return f"user:{user.id}" if user else f"network:{network()}"


def hold_stream(response: Response, user_id: UUID) -> Response:
    """Let `response` be one of the user's live streams until it is closed.

    Raises TooManyRequests (429) when they have `live_streams_per_user` open in this process.
    """
    key = ("stream", str(user_id))
    _shares.take(key, get_settings().live_streams_per_user)
    response.call_on_close(lambda: _shares.give_back(key))
    return response


def _begin(settings: Settings) -> None:
    if request.endpoint in FOR_ANYBODY | FOR_MANY:
        return
    request.environ[TAKEN] = []
    # From the cookie alone: the database may be what a crowd of requests waits for.
    user_id = session.get(USER)
    if user_id:
        _take(("user", str(user_id)), settings.requests_at_once_per_user)
    if not _is_own_machine():
        switched = switches.last_read().network_requests
        _take(("network", network()), switched or settings.requests_at_once_per_network)


def _take(key: Key, most: int) -> None:
    _shares.take(key, most)
    request.environ[TAKEN].append(key)


def _end(_: BaseException | None) -> None:
    taken: list[Key] = request.environ.pop(TAKEN, [])
    for key in taken:
        _shares.give_back(key)


def _is_own_machine() -> bool:
    # A proxy or a health check of this machine speaks for everybody.
    try:
        return ip_address(request.remote_addr or "").is_loopback
    except ValueError:
        return False
