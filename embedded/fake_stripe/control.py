"""Switches and accidents, for tests and for who tries things out by hand (JSON in, JSON out).

PUT  /_control/webhook                    {"url": ...} where events are told
PUT  /_control/switches                   {"delay_seconds", "copies", "reorder", "lose"}
DELETE /_control/books                  everything is forgotten, as if nobody had ever paid
POST /_control/events/<id>/delivery       tell an event again
POST /_control/disputes                   {"payment_intent": ..., "amount": cents, "status": ...}
POST /_control/disputes/<id>/closing      {"status": "won" or "lost"}
POST /_control/refunds/<id>/failure       the money did not arrive
POST /_control/sessions/<id>/payment      {"card": "4242"} as if its person had paid on the page
POST /_control/sessions/<id>/bank         {"paid": true} a bank debit arrives after all, or fails
POST /_control/sessions/<id>/expiry       nobody came
"""

import json
from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from embedded.fake_stripe.cards import BY_LAST4
from embedded.fake_stripe.deliveries import Deliveries, Switches
from embedded.fake_stripe.forms import Body
from embedded.fake_stripe.server import FakeStripe

Act = Callable[[str, Body], Body]


def routes(fake: FakeStripe) -> list[web.RouteDef]:
    """The addresses above."""

    async def _forget(_: web.Request) -> web.Response:
        with fake.store.change():
            fake.store.clear()
        return web.json_response({})

    return [
        web.delete("/_control/books", _forget),
        *_of_deliveries(fake.deliveries),
        *_of_returns(fake),
        *_of_sessions(fake),
    ]


def _of_deliveries(deliveries: Deliveries) -> list[web.RouteDef]:
    async def _switch(request: web.Request) -> web.Response:
        deliveries.switches = Switches(**await _json(request))
        return web.json_response(asdict(deliveries.switches))

    async def _aim(request: web.Request) -> web.Response:
        deliveries.url = (await _json(request))["url"]
        return web.json_response({"url": deliveries.url})

    async def _tell_again(request: web.Request) -> web.Response:
        deliveries.send_again(request.match_info["id"])
        return web.json_response({})

    return [
        web.put("/_control/switches", _switch),
        web.put("/_control/webhook", _aim),
        web.post("/_control/events/{id}/delivery", _tell_again),
    ]


def _of_returns(fake: FakeStripe) -> list[web.RouteDef]:
    account = fake.account

    def _open(_: str, asked: Body) -> Body:
        status = asked.get("status", "needs_response")
        return account.dispute(asked["payment_intent"], asked.get("amount"), status)

    def _close(dispute_id: str, asked: Body) -> Body:
        return account.close_dispute(dispute_id, asked["status"])

    def _fail(refund_id: str, _: Body) -> Body:
        return account.fail_refund(refund_id)

    return [
        _act(fake, "refunds/{id}/failure", _fail),
        _act(fake, "disputes", _open),
        _act(fake, "disputes/{id}/closing", _close),
    ]


def _of_sessions(fake: FakeStripe) -> list[web.RouteDef]:
    account = fake.account

    def _pay(session_id: str, asked: Body) -> Body:
        return account.pay_checkout(session_id, BY_LAST4[asked["card"]])

    def _hear_from_bank(session_id: str, asked: Body) -> Body:
        return account.end_async(session_id, is_paid=asked["paid"])

    def _expire(session_id: str, _: Body) -> Body:
        return account.expire_checkout(session_id)

    return [
        _act(fake, "sessions/{id}/payment", _pay),
        _act(fake, "sessions/{id}/bank", _hear_from_bank),
        _act(fake, "sessions/{id}/expiry", _expire),
    ]


def _act(fake: FakeStripe, path: str, act: Act) -> web.RouteDef:
    async def _handle(request: web.Request) -> web.Response:
        asked = await _json(request)
        object_id = request.match_info.get("id", "")
        status, answer = fake.act(lambda: act(object_id, asked))
        return web.json_response(answer, status=status)

    return web.post(f"/_control/{path}", _handle)


async def _json(request: web.Request) -> Body:
    text = await request.text()
    return json.loads(text) if text else {}
