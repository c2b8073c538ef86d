"""The API: Stripe's addresses, its idempotency keys and its errors."""

from collections.abc import Awaitable, Callable
from hashlib import sha256
from pathlib import Path
from typing import cast

from aiohttp import web

from embedded.fake_stripe.account import Account
from embedded.fake_stripe.deliveries import Deliveries
from embedded.fake_stripe.errors import Refusal, missing
from embedded.fake_stripe.forms import Body, decode
from embedded.fake_stripe.store import Store

MOST_LISTED = 100
Verb = Callable[[web.Request, Body], Body]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class FakeStripe:
    """One account and the server in front of it. `url` is what people's browsers call it by."""

    def __init__(self, data: Path | None, url: str, webhook_url: str | None, secret: str) -> None:
        self.store = Store(data)
        self.deliveries = Deliveries(self.store, webhook_url, secret)
        self.account = Account(self.store, url, self.deliveries.note)

    def act(
        self, verb: Callable[[], Body], key: str | None = None, asked: str = ""
    ) -> tuple[int, Body]:
        """Do something in the account and tell of it; a refusal is an answer too.

        With a key the answer is kept: whoever asks the same under it gets the same.
        """
        try:
            with self.store.change():
                answer = _answer(verb)
                if key:
                    self.store.keep_answer(key, asked, *answer)
        except BaseException:
            self.deliveries.forget()
            raise
        self.deliveries.send()
        return answer

    def routes(self) -> list[web.RouteDef]:
        account = self.account
        return [
            web.get("/healthz", _is_up),
            self._post("/v1/customers", lambda _, form: account.add_customer(form)),
            self._delete(
                "/v1/customers/{id}",
                lambda request, _: account.delete_customer(request.match_info["id"]),
            ),
            self._get("/v1/customers/{id}/payment_methods", self._cards_of),
            self._post("/v1/checkout/sessions", lambda _, form: account.begin_checkout(form)),
            self._post(
                "/v1/checkout/sessions/{id}/expire",
                lambda request, _: account.expire_checkout(request.match_info["id"]),
            ),
            self._get("/v1/payment_intents", self._intents),
            self._post("/v1/payment_intents", lambda _, form: account.charge_away(form)),
            self._post("/v1/refunds", lambda _, form: account.refund(form)),
            self._get("/v1/refunds", self._refunds),
            self._post("/v1/billing_portal/sessions", lambda _, form: account.open_portal(form)),
            self._get("/v1/events", self._events),
            *(self._get(f"/v1/{path}/{{id}}", self._one) for path in READABLE),
        ]

    def _post(self, path: str, verb: Verb) -> web.RouteDef:
        async def _handle(request: web.Request) -> web.Response:
            body = await request.text()
            form = decode((name, str(value)) for name, value in (await request.post()).items())
            key = request.headers.get("Idempotency-Key")
            asked = sha256(f"{request.path}\n{body}".encode()).hexdigest()
            known = self.store.answer_to(key) if key else None
            if known is not None:
                return _again(known, asked)
            status, answer = self.act(lambda: verb(request, form), key, asked)
            return web.json_response(answer, status=status)

        return web.post(path, _with_key(_handle))

    def _delete(self, path: str, verb: Verb) -> web.RouteDef:
        async def _handle(request: web.Request) -> web.Response:
            status, answer = self.act(lambda: verb(request, {}))
            return web.json_response(answer, status=status)

        return web.delete(path, _with_key(_handle))

    def _get(self, path: str, verb: Verb) -> web.RouteDef:
        async def _handle(request: web.Request) -> web.Response:
            status, answer = _answer(lambda: verb(request, dict(decode(request.query.items()))))
            return web.json_response(answer, status=status)

        return web.get(path, _with_key(_handle))

    def _one(self, request: web.Request, _: Body) -> Body:
        kind = READABLE[request.path.removeprefix("/v1/").rpartition("/")[0]]
        return self.account.get(request.match_info["id"], kind)

    def _cards_of(self, request: web.Request, _: Body) -> Body:
        customer = self.account.get(request.match_info["id"], "customer")
        return _page(self.account.saved_cards(customer["id"]), {}, request.path)

    def _intents(self, request: web.Request, asked: Body) -> Body:
        return _page(self._since("payment_intent", asked), asked, request.path)

    def _refunds(self, request: web.Request, asked: Body) -> Body:
        wanted = asked.get("payment_intent")
        made = self._since("refund", asked)
        found = [one for one in made if wanted in (None, one["payment_intent"])]
        return _page(found, asked, request.path)

    def _events(self, request: web.Request, asked: Body) -> Body:
        kinds = cast(list[str] | None, asked.get("types"))
        told = self._since("event", asked)
        found = [one for one in told if kinds is None or one["type"] in kinds]
        return _page(found, asked, request.path)

    def _since(self, kind: str, asked: Body) -> list[Body]:
        since = int(cast(Body, asked.get("created", {})).get("gte", 0))
        return [one for one in self.store.newest_first(kind) if one["created"] >= since]


READABLE = {
    "customers": "customer",
    "checkout/sessions": "checkout.session",
    "payment_intents": "payment_intent",
    "charges": "charge",
    "refunds": "refund",
    "disputes": "dispute",
    "events": "event",
}


def _answer(verb: Callable[[], Body]) -> tuple[int, Body]:
    try:
        return 200, verb()
    except Refusal as refusal:
        return refusal.status, refusal.body


def _again(known: tuple[str, int, Body], asked: str) -> web.Response:
    before, status, answer = known
    if before != asked:
        words = "Keys for idempotent requests can only be used with the same parameters."
        refusal = Refusal(400, "idempotency_error", words)
        return web.json_response(refusal.body, status=refusal.status)
    return web.json_response(answer, status=status, headers={"Idempotent-Replayed": "true"})


def _page(found: list[Body], asked: Body, url: str) -> Body:
    """Cut a list, newest first, as Stripe does: `limit` of it after the object `starting_after`."""
    after = asked.get("starting_after")
    if after is not None:
        places = [at for at, one in enumerate(found) if one["id"] == after]
        if not places:
            raise missing(str(after))
        found = found[places[0] + 1 :]
    limit = min(int(asked.get("limit", 10)), MOST_LISTED)
    return {"object": "list", "url": url, "data": found[:limit], "has_more": len(found) > limit}


def _with_key(handle: Handler) -> Handler:
    async def _guarded(request: web.Request) -> web.StreamResponse:
        if not request.headers.get("Authorization", "").startswith("Bearer sk_"):
            refusal = Refusal(401, "invalid_request_error", "A secret key is needed; any will do.")
            return web.json_response(refusal.body, status=refusal.status)
        return await handle(request)

    return _guarded


async def _is_up(_: web.Request) -> web.Response:
    return web.Response(text="ok")
