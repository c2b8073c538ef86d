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

from embedded.stripe_stand_in.cards import BY_LAST4
from embedded.stripe_stand_in.deliveries import Deliveries, Switches
from embedded.stripe_stand_in.forms import Body
from embedded.stripe_stand_in.server import StandIn

Act = Callable[[str, Body], Body]


def routes(stand_in: StandIn) -> list[web.RouteDef]:
    """The addresses above."""

    async def _forget(_: web.Request) -> web.Response:
        with stand_in.store.change():
            stand_in.store.clear()
        return web.json_response({})

    return [
        web.delete("/_control/books", _forget),
        *_of_deliveries(stand_in.deliveries),
        *_of_returns(stand_in),
        *_of_sessions(stand_in),
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


def _of_returns(stand_in: StandIn) -> list[web.RouteDef]:
    account = stand_in.account

    def _open(_: str, asked: Body) -> Body:
        status = asked.get("status", "needs_response")
        return account.dispute(asked["payment_intent"], asked.get("amount"), status)

    def _close(dispute_id: str, asked: Body) -> Body:
        return account.close_dispute(dispute_id, asked["status"])

    def _fail(refund_id: str, _: Body) -> Body:
        return account.fail_refund(refund_id)

    return [
        _act(stand_in, "refunds/{id}/failure", _fail),
        _act(stand_in, "disputes", _open),
        _act(stand_in, "disputes/{id}/closing", _close),
    ]


def _of_sessions(stand_in: StandIn) -> list[web.RouteDef]:
    account = stand_in.account

    def _pay(session_id: str, asked: Body) -> Body:
        return account.pay_checkout(session_id, BY_LAST4[asked["card"]])

    def _hear_from_bank(session_id: str, asked: Body) -> Body:
        return account.end_async(session_id, is_paid=asked["paid"])

    def _expire(session_id: str, _: Body) -> Body:
        return account.expire_checkout(session_id)

    return [
        _act(stand_in, "sessions/{id}/payment", _pay),
        _act(stand_in, "sessions/{id}/bank", _hear_from_bank),
        _act(stand_in, "sessions/{id}/expiry", _expire),
    ]


def _act(stand_in: StandIn, path: str, act: Act) -> web.RouteDef:
    async def _handle(request: web.Request) -> web.Response:
        asked = await _json(request)
        object_id = request.match_info.get("id", "")
        status, answer = stand_in.act(lambda: act(object_id, asked))
        return web.json_response(answer, status=status)

    return web.post(f"/_control/{path}", _handle)


async def _json(request: web.Request) -> Body:
    text = await request.text()
    return json.loads(text) if text else {}
