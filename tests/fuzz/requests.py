"""What is sent: drawn from a seed, so that the same seed sends the same again."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_from_bytes
from uuid import uuid4

from gateways.stripe_events import TYPES
from tests.fuzz.bodies import MULTIPART, URLENCODED, multipart, urlencoded
from tests.fuzz.fields import Kind, Name, Place
from tests.fuzz.values import HOSTILE
from tests.fuzz.world import ROLES, Role, World
from tests.gateways.test_stripe_events import known_event, twisted

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW")
HEADERS = (
    *("Last-Event-ID", "If-None-Match", "If-Modified-Since", "Range", "Accept", "Accept-Encoding"),
    *(
        "Accept-Language",
        "Referer",
        "User-Agent",
        "X-Forwarded-For",
        "X-Forwarded-Proto",
        "HX-Target",
    ),
    *("HX-Current-URL", "HX-Request", "HX-Boosted", "Content-Type", "Stripe-Signature", "Origin"),
)
WEBHOOK = "/webhooks/stripe"
BROKEN_FORMS: tuple[tuple[str, bytes], ...] = (
    ("multipart/form-data", b"--x\r\n\r\nhello\r\n--x--\r\n"),
    ("multipart/form-data; boundary=", b"----\r\n"),
    (MULTIPART, b"no boundary at all"),
    (MULTIPART, multipart([("a", "b")], [])[:-30]),
    (MULTIPART, multipart([(f"field{n}", "x") for n in range(2_000)], [])),
    (MULTIPART, multipart([("text", "x" * 300_000)], [])),
    (MULTIPART, multipart([], [("files", f"{n}.txt", b"x") for n in range(60)])),
    (MULTIPART, multipart([], [("files", "x" * 60_000, b"x")])),
    (MULTIPART, multipart([], [("files", "a.txt", b"\x00\xff" * 1_000)])),
    (URLENCODED, b"&" * 120_000),
    (URLENCODED, b"%" * 60_000),
    (URLENCODED, b"%zz=%u1234&%00=%00&=&==&a=%ff%fe"),
    (URLENCODED, b"a=" + b"x" * 2_000_000),
    (URLENCODED + "; charset=utf-7", b"text=+ADw-script+AD4-"),
    (URLENCODED + "; charset=nonsense", b"text=%E9"),
    ("application/json", b"[" * 50_000),
    ("application/json", b'{"text": "\\ud800"}'),
    ("text/plain", b"\x00" * 1_000),
    ("", b"text=hello"),
)


@dataclass
class Sent:
    """One request. `about` says what it is, for a report; the login is put in when it goes."""

    role: Role
    method: str
    path: str
    about: str
    query: str = ""
    content_type: str = ""
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict[str, str])
    has_token: bool = True

    def __str__(self) -> str:
        return f"{self.role}: {self.method} {self.path[:90]} ({self.about})"


class Draw:
    """Draws requests for these pages. Half of them go through every field and value in turn."""

    def __init__(self, seed: int, places: list[Place], world: World, webhook_secret: str) -> None:
        self._random = random.Random(seed)
        self._places, self._world, self._secret = places, world, webhook_secret
        self._names = sorted({name for place in places for name in place.names})
        self._hostile = list(HOSTILE)
        self._product = [
            (place, name, hostile)
            for place in places
            for name in sorted(place.names)
            for hostile in self._hostile
        ]
        self._random.shuffle(self._product)
        self._taken = 0

    @property
    def taken_share(self) -> float:
        """How much of all fields with all values was sent."""
        return min(self._taken / len(self._product), 1.0)

    def requests(self, count: int) -> Iterator[Sent]:
        """Draw so many, each when it is asked for: by then Max may have other things."""
        ways = (self._one_field, self._anything, self._of_ada, self._webhook, self._odd_wire)
        for _ in range(count):
            (way,) = self._random.choices(ways, weights=(50, 26, 12, 5, 7))
            sent = way()
            sent.has_token = self._random.random() < 0.93
            if self._random.random() < 0.3:
                sent.headers["HX-Request"] = "true"
            yield sent

    def _one_field(self) -> Sent:
        """What a browser would send, but for one field."""
        place, (kind, name), hostile = self._product[self._taken % len(self._product)]
        self._taken += 1
        role = place.role if self._random.random() < 0.7 else self._random.choice(ROLES)
        path = self._path(place, self._world.ids)
        sent = Sent(role, place.method, path, f"{kind} {name}={hostile}")
        form = dict(place.usual) if place.method == "POST" else {}
        return _filled(sent, kind, {**form, name: HOSTILE[hostile]}, name)

    def _anything(self) -> Sent:
        """Any page by any method as anybody, with some fields, known there or not."""
        place, draw = self._random.choice(self._places), self._random
        chosen = draw.sample(self._names, draw.randrange(4)) + draw.sample(
            sorted(place.names), draw.randint(0, len(place.names))
        )
        fields = [(name, self._value(place, name)) for name in chosen]
        method = draw.choice((*METHODS, "GET", "GET", "POST", "POST", "POST", place.method))
        role = draw.choice(ROLES)
        # Admins may change what is hers.
        adas = self._world.ids if (role, method) == ("admin", "POST") else self._world.adas
        path = self._path(place, draw.choice((self._world.ids, adas, self._odd_ids())))
        shown = ", ".join(f"{kind} {name}={value[:20]!r}" for (kind, name), value in fields)
        sent = Sent(role, method, path, shown)
        sent.query = urlencoded((name, text) for (kind, name), text in fields if kind == "query")
        _put(sent, [(name, text) for (kind, name), text in fields if kind != "query"])
        return sent

    def _of_ada(self) -> Sent:
        """A page about what is Ada's, by others, with nothing wrong but that."""
        about = [place for place in self._places if place.path != self._path(place, {}, odd=True)]
        place = self._random.choice(about)
        role = self._random.choice(("eve", "eve", "eve", "member", "stranger", "frozen"))
        sent = Sent(role, place.method, self._path(place, self._world.adas), "Ada's")
        if place.method == "POST":
            fields = {**place.usual, "staged": str(self._world.adas["upload_id"])}
            _put(sent, list(fields.items()))
        return sent

    def _webhook(self) -> Sent:
        """An event that is signed, and of an odd shape; about Max's payment."""
        kind = self._random.choice(TYPES)
        event = known_event(kind, self._world.ids["payment_id"])
        odd = self._random.choice(list(twisted(event)))
        if self._random.random() < 0.7:
            _put_id(odd, f"evt_{self._random.getrandbits(64):x}")
        sent = Sent("stranger", "POST", WEBHOOK, f"{kind}: {_shown(odd)}")
        sent.content_type, sent.body = "application/json", json.dumps(odd).encode()
        sent.headers["Stripe-Signature"] = "sign"
        return sent

    def _odd_wire(self) -> Sent:
        """A body or a header that no browser sends."""
        place, draw = self._random.choice(self._places), self._random
        sent = Sent(draw.choice(ROLES), place.method, self._path(place, self._world.ids), "")
        if draw.random() < 0.6:
            sent.method = "POST"
            sent.content_type, sent.body = draw.choice(BROKEN_FORMS)
            sent.about = f"{sent.content_type} {sent.body[:30]!r}"
            return sent
        for name in draw.sample(HEADERS, 2):
            hostile = draw.choice(self._hostile)
            sent.headers[name] = HOSTILE[hostile][:3_000]
            sent.about += f"{name}: {hostile}; "
        return sent

    def _value(self, place: Place, name: Name) -> str:
        usual = place.usual.get(name[1])
        if usual is not None and self._random.random() < 0.4:
            return usual
        return HOSTILE[self._random.choice(self._hostile)]

    def _odd_ids(self) -> dict[str, Any]:
        if self._random.random() < 0.5:
            return {name: uuid4() for name in self._world.ids}
        value = HOSTILE[self._random.choice(self._hostile)][:1_000]
        return dict.fromkeys((*self._world.ids, "name"), value)

    def _path(self, place: Place, ids: Mapping[str, object], *, odd: bool = False) -> str:
        """The page's path with other ids in it."""
        path = place.path
        for name, one in place.ids.items():
            other = "-" if odd else ids.get(name, one)
            text = str(other).encode("utf-8", "surrogatepass")
            path = path.replace(str(one), quote_from_bytes(text, safe="/"))
        return path


def _filled(sent: Sent, kind: Kind, fields: Mapping[str, str], name: str) -> Sent:
    if kind == "query":
        sent.query = urlencoded([(name, fields[name])])
    elif kind == "files":
        rest = [(other, text) for other, text in fields.items() if other != name]
        sent.content_type = MULTIPART
        sent.body = multipart(rest, [(name, fields[name], b"text")])
    else:
        _put(sent, list(fields.items()))
    return sent


def _put(sent: Sent, fields: list[tuple[str, str]]) -> None:
    if sent.method in ("GET", "HEAD"):
        return
    sent.content_type, sent.body = URLENCODED, urlencoded(fields).encode()


def _put_id(event: dict[str, Any], event_id: str) -> None:
    if event.get("id") == "evt_1":
        event["id"] = event_id


def _shown(event: dict[str, Any]) -> str:
    return quote(json.dumps(event.get("data", ""))[:60], safe=' {}":,')
