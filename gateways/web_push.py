"""Web push: encrypts what a browser shows, and hands it to the push service of that browser.

Endpoints come from browsers, so anybody can name any address. Only those of known push services are
taken, matched as text in a shape that no two readers of addresses read differently: no port, no
user, no literal IP address. So nobody makes us call something on our own network.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from time import time
from typing import Any, cast
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # pyright: ignore[reportMissingTypeStubs]
from py_vapid.utils import b64urlencode  # pyright: ignore[reportMissingTypeStubs, reportUnknownVariableType]
from pywebpush import WebPusher  # pyright: ignore[reportMissingTypeStubs]

from gateways import values
from gateways.values import BadValue
from settings import Settings

MOST_ENDPOINT_BYTES = 1000
# A host of letters that is followed by its path.
HTTPS_ENDPOINT = re.compile(
    r"https://([a-z0-9](?:[a-z0-9-]{0,62}\.)+[a-z]{2,63})/[A-Za-z0-9._~:/?=&%+,;@!$'()*-]*"
)
# A push service may keep it so long for a browser that is off.
KEPT_SECONDS = 86_400
# How long our signature holds; RFC 8292 allows a day.
SIGNED_SECONDS = 12 * 3600
# Letters of a text: all of it fits into the 4,096 bytes that every push service takes.
MOST_LETTERS = 300
POINT_BYTES, SECRET_BYTES = 65, 16
GONE = {404, 410}
TOO_MANY = 429


@dataclass(frozen=True)
class Target:
    """A browser: its address at its push service, and its keys in base64url."""

    endpoint: str
    p256dh: str
    auth: str


class PushFailed(Exception):
    """A push service did not take a push.

    `is_gone`: it does not know the browser any more. `is_permanent`: it will refuse this again.
    """

    def __init__(
        self,
        words: str,
        *,
        is_gone: bool = False,
        is_permanent: bool = False,
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(words)
        self.is_gone, self.is_permanent = is_gone, is_permanent or is_gone
        self.retry_after_seconds = retry_after_seconds


def target(endpoint: object, p256dh: object, auth: object, services: Collection[str]) -> Target:
    """Read what a browser says of itself. Raises BadValue.

    `services` are hosts ("fcm.googleapis.com"), all hosts below one ("*.push.example"), or the
    origin of a stand-in ("http://127.0.0.1:8094").
    """
    address = values.text(endpoint, most_bytes=MOST_ENDPOINT_BYTES)
    if not is_known(address, services):
        raise BadValue
    point = values.base64url(p256dh, count=POINT_BYTES)
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), point)
    except ValueError as not_on_curve:
        raise BadValue from not_on_curve
    values.base64url(auth, count=SECRET_BYTES)
    return Target(address, str(p256dh), str(auth))


def is_known(endpoint: str, services: Collection[str]) -> bool:
    """Tell whether an endpoint is an address of one of these push services."""
    found = HTTPS_ENDPOINT.fullmatch(endpoint)
    return any(
        endpoint.startswith(f"{service}/")
        if "://" in service
        else found is not None and _is_of(found[1], service)
        for service in services
    )


def _is_of(host: str, service: str) -> bool:
    return host.endswith(service[1:]) if service.startswith("*.") else host == service


@lru_cache(maxsize=4)
def public_key(private_key: str) -> str:
    """Return what browsers know us by, in base64url."""
    key: Any = _read_key(private_key)
    point = key.public_key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return b64urlencode(point)


def _read_key(private_key: str) -> Any:
    return Vapid02.from_string(private_key)  # pyright: ignore[reportUnknownMemberType]


class PushSender:
    """Sends pushes in the name of the site."""

    def __init__(self, settings: Settings) -> None:
        """Read the key; without one there is nothing to send with, and ValueError is raised."""
        if not settings.vapid_private_key:
            raise ValueError("VAPID_PRIVATE_KEY is not set")
        self._key = _read_key(settings.vapid_private_key.get_secret_value())
        self._subject = f"mailto:{settings.support_address}"
        self._services = settings.push_services
        self._seconds = settings.push_timeout_seconds

    def send(self, push_id: str, to: Target, content: Mapping[str, str]) -> None:
        """Let a browser show `content`; a second push of the same id replaces the first.

        Raises PushFailed.
        """
        # The list may be shorter than when the browser came.
        if not is_known(to.endpoint, self._services):
            raise PushFailed("not a push service that we know", is_gone=True)
        try:
            answer = requests.post(
                to.endpoint,
                data=_encrypted(to, content),
                headers=self._headers(to.endpoint, push_id),
                timeout=self._seconds,
                # It may not lead us elsewhere, and what it has to say is not read.
                allow_redirects=False,
                stream=True,
            )
        except requests.RequestException as error:
            raise PushFailed(type(error).__name__) from error
        with answer:
            _check(answer)

    def _headers(self, endpoint: str, push_id: str) -> dict[str, str]:
        parts = urlsplit(endpoint)
        claims = {
            "aud": f"{parts.scheme}://{parts.netloc}",
            "exp": int(time()) + SIGNED_SECONDS,
            "sub": self._subject,
        }
        signed = cast(dict[str, str], self._key.sign(claims))
        said = {"Content-Encoding": "aes128gcm", "TTL": str(KEPT_SECONDS), "Urgency": "normal"}
        # What has not been fetched yet is replaced by what is sent again (RFC 8030).
        return {**signed, **said, "Topic": push_id}


def _encrypted(to: Target, content: Mapping[str, str]) -> bytes:
    cut = {name: text[:MOST_LETTERS] for name, text in content.items()}
    keys = {"p256dh": to.p256dh, "auth": to.auth}
    pusher: Any = WebPusher({"endpoint": to.endpoint, "keys": keys})
    words = json.dumps(cut, ensure_ascii=False, separators=(",", ":"))
    return pusher.encode(words.encode())["body"]


def _check(answer: requests.Response) -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    may_pass = status >= 500 or status in {408, TOO_MANY}
    raise PushFailed(
        f"the push service answered {status}",
        is_gone=status in GONE,
        is_permanent=not may_pass,
        retry_after_seconds=_seconds(answer.headers.get("Retry-After")),
    )


def _seconds(given: str | None) -> int | None:
    try:
        return values.integer(given, most=86_400)
    except BadValue:
        return None
