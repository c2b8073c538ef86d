"""Switches, for tests and for who tries things out by hand (JSON in, JSON out).

PUT  /_control/mischief     {"mischief": "wrong_audience"} until it is "none" again
POST /_control/keys         sign with a new key from now on
"""

from aiohttp import web

from embedded.fake_google.mischief import Mischief
from embedded.fake_google.provider import Provider


def routes(provider: Provider) -> list[web.RouteDef]:
    """The addresses above."""

    async def _switch(request: web.Request) -> web.Response:
        provider.mischief = Mischief((await request.json())["mischief"])
        return web.json_response({"mischief": provider.mischief})

    async def _change_key(_: web.Request) -> web.Response:
        provider.signer.change_key()
        return web.json_response({})

    return [
        web.put("/_control/mischief", _switch),
        web.post("/_control/keys", _change_key),
    ]
