"""Switches and the journal, for tests and for who tries things out by hand.

Below `/<page token>/` (JSON in, JSON out; what is left out is as usual):

GET  controls                            a page with all of this
GET  control/faults, PUT                 see `faults.Switches`; "seed" makes chance repeatable
POST control/faults/next                 {"method", "faults": ["cut_after", …]} for the next calls
GET  control/limits, PUT                 see `limits.Limits`
POST control/updates/<id>/delivery       deliver an update once more
GET  journal?chat=<id>                   what was said, delivered and called
DELETE control/everything                forget it all, and all switches
"""

import dataclasses
import json
from typing import Any, cast

from aiohttp import web

from embedded.fake_telegram.errors import Body
from embedded.fake_telegram.faults import Fault, Switches
from embedded.fake_telegram.journal import journal
from embedded.fake_telegram.limits import Limits
from embedded.fake_telegram.messenger import Messenger
from embedded.fake_telegram.phone import page


def routes(messenger: Messenger) -> list[web.RouteDef]:
    """The addresses above."""

    async def _show(_: web.Request) -> web.Response:
        return page("controls.html")

    async def _journal(request: web.Request) -> web.Response:
        chat = request.query.get("chat", "")
        wanted = int(chat) if chat.removeprefix("-").isdecimal() else None
        return web.json_response(journal(messenger.store, wanted))

    async def _repeat(request: web.Request) -> web.Response:
        if not messenger.updates.repeat(int(request.match_info["id"])):
            raise web.HTTPNotFound
        return web.json_response({})

    async def _forget(_: web.Request) -> web.Response:
        with messenger.store.change():
            messenger.reset()
        messenger.faults.forget()
        messenger.faults.switches, messenger.buckets.limits = Switches(), Limits()
        return web.json_response({})

    return [
        web.get("/{page_token}/controls", _show),
        web.get("/{page_token}/journal", _journal),
        web.post(r"/{page_token}/control/updates/{id:\d+}/delivery", _repeat),
        web.delete("/{page_token}/control/everything", _forget),
        *_of_faults(messenger),
        *_of_limits(messenger),
    ]


def _of_faults(messenger: Messenger) -> list[web.RouteDef]:
    faults = messenger.faults

    async def _read(_: web.Request) -> web.Response:
        return web.json_response(dataclasses.asdict(faults.switches))

    async def _switch(request: web.Request) -> web.Response:
        asked = await _json(request)
        if "seed" in asked:
            faults.chance.seed(asked.pop("seed"))
        asked["methods"] = tuple(asked.get("methods", ()))
        faults.switches = _made(Switches, asked)
        return await _read(request)

    async def _script(request: web.Request) -> web.Response:
        asked = await _json(request)
        faults.script(asked["method"], [Fault(one) for one in asked["faults"]])
        return web.json_response({})

    return [
        web.get("/{page_token}/control/faults", _read),
        web.put("/{page_token}/control/faults", _switch),
        web.post("/{page_token}/control/faults/next", _script),
    ]


def _of_limits(messenger: Messenger) -> list[web.RouteDef]:
    buckets = messenger.buckets

    async def _read(_: web.Request) -> web.Response:
        return web.json_response(dataclasses.asdict(buckets.limits))

    async def _change(request: web.Request) -> web.Response:
        buckets.limits = _made(Limits, await _json(request))
        buckets.refill()
        return await _read(request)

    return [
        web.get("/{page_token}/control/limits", _read),
        web.put("/{page_token}/control/limits", _change),
    ]


def _made(kind: Any, asked: Body) -> Any:
    try:
        return kind(**asked)
    except (TypeError, ValueError) as odd:
        raise web.HTTPBadRequest(text=f"{odd}") from odd


async def _json(request: web.Request) -> Body:
    text = await request.text()
    return cast(Body, json.loads(text)) if text else {}
