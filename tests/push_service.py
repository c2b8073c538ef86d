"""A push service on a socket, and browsers that are subscribed to it.

It takes a push as the services of browsers do: it checks the site's signature, and the browser can
read what it was sent. It answers what a test wants.
"""

import json
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_bytes, token_urlsafe
from time import time
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from joserfc import jwt
from joserfc.jwk import ECKey

SALT_BYTES, POINT_BYTES = 16, 65
# A signing key of nobody's.
VAPID_KEY = urlsafe_b64encode(sha256(b"a key for tests").digest()).decode().rstrip("=")


@dataclass
class Device:
    """A browser: its keys, and where it is pushed to."""

    endpoint: str
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    secret: bytes = field(default_factory=lambda: token_bytes(16))

    @property
    def point(self) -> bytes:
        return _point(self.key.public_key())

    def as_form(self) -> dict[str, str]:
        """What the script of the settings sends."""
        return {
            "endpoint": self.endpoint,
            "p256dh": encoded(self.point),
            "auth": encoded(self.secret),
        }

    def read(self, body: bytes) -> dict[str, Any]:
        """Decrypt what was pushed, by RFC 8291 and RFC 8188."""
        salt, record = body[:SALT_BYTES], body[SALT_BYTES : SALT_BYTES + 4]
        sender = body[SALT_BYTES + 5 : SALT_BYTES + 5 + POINT_BYTES]
        assert int.from_bytes(record, "big") >= len(body) - SALT_BYTES - 5 - POINT_BYTES
        public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), sender)
        shared = self.key.exchange(ec.ECDH(), public)
        whose = b"WebPush: info\0" + self.point + sender
        secret = _derived(shared, self.secret, whose, 32)
        key = _derived(secret, salt, b"Content-Encoding: aes128gcm\0", 16)
        once = _derived(secret, salt, b"Content-Encoding: nonce\0", 12)
        padded = AESGCM(key).decrypt(once, body[SALT_BYTES + 5 + POINT_BYTES :], None)
        return json.loads(padded.rstrip(b"\0").removesuffix(b"\x02"))


@dataclass(frozen=True)
class Received:
    """A push as it came in."""

    path: str
    headers: dict[str, str]
    body: bytes

    def claims(self) -> dict[str, Any]:
        """Check the site's signature with the key that it names; return what it signed."""
        scheme, _, said = self.headers["authorization"].partition(" ")
        assert scheme == "vapid"
        parts = dict(part.strip().split("=", 1) for part in said.split(","))
        point = decoded(parts["k"])
        key = ECKey.import_key(
            {
                "kty": "EC",
                "crv": "P-256",
                "x": encoded(point[1:33]),
                "y": encoded(point[33:]),
            }
        )
        claims = dict(jwt.decode(parts["t"], key, algorithms=["ES256"]).claims)
        assert time() < claims["exp"] <= time() + 86_400
        return claims


class PushService:
    """What came in, and what is answered."""

    def __init__(self, port: int) -> None:
        self.origin = f"http://127.0.0.1:{port}"
        self.received: list[Received] = []
        self.status = 201
        self.headers: dict[str, str] = {}

    def environment(self) -> dict[str, str]:
        return {"VAPID_PRIVATE_KEY": VAPID_KEY, "PUSH_SERVICES": json.dumps([self.origin])}

    def device(self) -> Device:
        return Device(f"{self.origin}/push/{token_urlsafe(24)}")

    def be(self, status: int, **headers: str) -> None:
        """Answer like this from now on."""
        self.status = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def reset(self) -> None:
        self.received.clear()
        self.be(201)

    def shown(self, device: Device) -> list[dict[str, Any]]:
        """What a device was told, in the order in which it came."""
        return [
            device.read(one.body) for one in self.received if device.endpoint.endswith(one.path)
        ]


@contextmanager
def served_push_service() -> Generator[PushService]:
    server = _Server(("127.0.0.1", 0), _Handler)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    serving.start()
    yield server.service
    server.shutdown()
    serving.join()
    server.server_close()


class _Server(ThreadingHTTPServer):
    @cached_property
    def service(self) -> PushService:
        return PushService(self.server_port)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        service = cast(_Server, self.server).service
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        service.received.append(Received(self.path, headers, body))
        self.send_response(service.status)
        for name, value in service.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_GET(self) -> None:
        service = cast(_Server, self.server).service
        service.received.append(Received(self.path, {}, b""))
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its name there
        """Say nothing."""


def encoded(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


def decoded(text: str) -> bytes:
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _point(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _derived(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(SHA256(), length, salt, info).derive(material)
