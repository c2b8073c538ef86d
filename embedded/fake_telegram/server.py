"""The Bot API: its addresses, its answers, and what goes wrong with them."""

import asyncio
import hmac
import inspect
import re
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web

from embedded.fake_telegram.acts import Acts
from embedded.fake_telegram.errors import Body, Refusal, too_many_requests
from embedded.fake_telegram.faults import BEFORE, CUTS, Fault
from embedded.fake_telegram.given import Given, read
from embedded.fake_telegram.messenger import Messenger
from embedded.fake_telegram.methods.changing import Changing
from embedded.fake_telegram.methods.profile import Profile
from embedded.fake_telegram.methods.receiving import Receiving
from embedded.fake_telegram.methods.sending import Sending
from embedded.fake_telegram.webhook import Webhook

TOKEN = re.compile(r"[0-9]+:[\w-]+")
BROKEN: Body = {"ok": False, "error_code": 500, "description": "Internal Server Error"}
Method = Callable[[Given], Any]


class BotApi:
    """The addresses in front of a messenger, for whoever knows the bot's token."""

    def __init__(self, messenger: Messenger, acts: Acts, webhook: Webhook) -> None:
        self._messenger = messenger
        self._methods = _methods(
            Sending(messenger),
            Changing(messenger, acts),
            Receiving(messenger, webhook),
            Profile(messenger),
        )

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", _is_up),
            web.route("*", "/bot{token}/{method}", self._call),
            web.get("/file/bot{token}/{path:.+}", self._download),
        ]

    async def _call(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"].lower()
        self._check(request.match_info["token"])
        given = await read(request)
        method = self._methods.get(name)
        if method is None:
            raise Refusal(404, "Not Found: method not found")
        return await self._spoilt(request, name, lambda: self._answer(method, given), given)

    async def _spoilt(
        self,
        request: web.Request,
        name: str,
        answer: Callable[[], Awaitable[Body]],
        given: Given,
    ) -> web.StreamResponse:
        """Answer a call, or let it go wrong as the switches want."""
        faults = self._messenger.faults
        fault = faults.choose(name)
        await asyncio.sleep(faults.switches.delay_seconds)
        body: Body = {"ok": False} if fault in BEFORE else await answer()
        self._note(name, given, body, fault)
        if fault in CUTS and request.transport is not None:
            request.transport.abort()
        if fault is Fault.FLOOD:
            return _answered(too_many_requests(faults.switches.flood_seconds).body)
        return _answered(body if fault is Fault.NONE else BROKEN)

    async def _answer(self, method: Method, given: Given) -> Body:
        try:
            if inspect.iscoroutinefunction(method):
                return _done(await method(given))
            with self._messenger.store.change():
                return _done(method(given))
        except Refusal as refusal:
            return refusal.body

    def _note(self, name: str, given: Given, body: Body, fault: Fault) -> None:
        """Write into the journal what was called and what came of it."""
        if name == "getupdates":
            return
        noted = {
            "kind": "call",
            "method": name,
            "message_ids": _message_ids(body.get("result")) or [given.whole("message_id")],
            "took_effect": bool(body["ok"]),
            "description": body.get("description", ""),
            "fault": fault,
        }
        self._messenger.store.note(given.whole("chat_id"), noted)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        self._check(request.match_info["token"])
        found = self._messenger.files.content_at(request.match_info["path"])
        if found is None:
            raise Refusal(404, "Not Found")
        return web.Response(body=found[0], content_type="application/octet-stream")

    def _check(self, token: str) -> None:
        if not TOKEN.fullmatch(token):
            raise Refusal(404, "Not Found")
        # In the same time whatever is wrong with it, or it could be guessed letter by letter.
        if not hmac.compare_digest(token.encode(), self._messenger.bot.token.encode()):
            raise Refusal(401, "Unauthorized")


def _methods(
    sending: Sending, changing: Changing, receiving: Receiving, profile: Profile
) -> dict[str, Method]:
    """Name all methods as calls do, whatever their case."""
    return {
        name.replace("_", ""): getattr(part, name)
        for part in (sending, changing, receiving, profile)
        for name in vars(type(part))
        if not name.startswith("_")
    }


def _message_ids(result: Any) -> list[int]:
    """Return the ids of the messages that a call made or changed."""
    listed = cast(list[Any], result if isinstance(result, list) else [result])
    made = [cast(Body, one) for one in listed if isinstance(one, dict)]
    return [one["message_id"] for one in made if "message_id" in one]


def _done(result: Any) -> Body:
    """Put a result, perhaps with a word about it, into an answer."""
    if isinstance(result, tuple):
        value, words = cast(tuple[Any, str], result)
        return {"ok": True, "result": value, "description": words}
    return {"ok": True, "result": result}


def _answered(body: Body) -> web.Response:
    return web.json_response(body, status=200 if body["ok"] else body["error_code"])


async def _is_up(_: web.Request) -> web.Response:
    return web.Response(text="ok")
