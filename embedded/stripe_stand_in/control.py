"""Switches and accidents, for tests and for who tries things out by hand (JSON in, JSON out).

PUT  /_control/webhook                    {"url": ...} where events are told
PUT  /_control/switches                   {"delay_seconds", "copies", "reorder", "lose"}
POST /_control/events/<id>/delivery       tell an event again
POST /_control/disputes                   {"payment_intent": ..., "amount": cents, "status": ...}
POST /_control/disputes/<id>/closing      {"status": "won" or "lost"}
POST /_control/sessions/<id>/payment      {"card": "4242"} as if its person had paid on the page
POST /_control/sessions/<id>/bank         {"paid": true} a bank debit arrives after all, or fails
POST /_control/sessions/<id>/expiry       nobody came
"""

import json
from collections.abc import Callable
from dataclasses import asdict

from aiohttp import web

from embedded.stripe_stand_in.cards import BY_LAST4
from embedded.stripe_stand_in.deliveries import Switches
from embedded.stripe_stand_in.forms import Body
from embedded.stripe_stand_in.server import StandIn

Act = Callable[[str, Body], Body]


def routes(stand_in: StandIn) -> list[web.RouteDef]:
    """The addresses above."""
    account, deliveries = stand_in.account, stand_in.deliveries

    def _act(path: str, act: Act) -> web.RouteDef:
        async def _handle(request: web.Request) -> web.Response:
            asked = await _json(request)
            object_id = request.match_info.get("id", "")
            status, answer = stand_in.act(lambda: act(object_id, asked))
            return web.json_response(answer, status=status)

        return web.post(path, _handle)

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
        _act(
            "/_control/disputes",
            lambda _, asked: account.dispute(
                asked["payment_intent"], asked.get("amount"), asked.get("status", "needs_response")
            ),
        ),
        _act(
            "/_control/disputes/{id}/closing",
            lambda dispute, asked: account.close_dispute(dispute, asked["status"]),
        ),
        _act(
            "/_control/sessions/{id}/payment",
            lambda session, asked: account.pay_checkout(session, BY_LAST4[asked["card"]]),
        ),
        _act(
            "/_control/sessions/{id}/bank",
            lambda session, asked: account.end_async(session, is_paid=asked["paid"]),
        ),
        _act("/_control/sessions/{id}/expiry", lambda session, _: account.expire_checkout(session)),
    ]


async def _json(request: web.Request) -> Body:
    text = await request.text()
    return json.loads(text) if text else {}
