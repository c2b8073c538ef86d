"""What the client asks directly: discovery, keys, and tokens for codes."""

import asyncio
from base64 import b64decode
from binascii import Error
from urllib.parse import unquote

from aiohttp import web

from embedded.fake_google.mischief import Mischief
from embedded.fake_google.provider import Client, Provider, Refusal

SLOW_SECONDS = 30.0
TRICKLE_SECONDS = 0.1
HUGE_BYTES = 50_000_000


class Endpoints:
    """The addresses in front of a provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/healthz", _is_up),
            web.get("/.well-known/openid-configuration", self._discover),
            web.get("/keys", self._show_keys),
            web.post("/token", self._exchange),
        ]

    async def _discover(self, _: web.Request) -> web.Response:
        url, mischief = self._provider.url, self._provider.mischief
        if mischief is Mischief.NO_DISCOVERY:
            raise web.HTTPServiceUnavailable
        is_elsewhere = mischief is Mischief.PAGE_ELSEWHERE
        page = "http://127.0.0.1:9" if is_elsewhere else url
        is_another = mischief is Mischief.ANOTHER_ISSUER
        return web.json_response(
            {
                "issuer": "https://accounts.google.example" if is_another else url,
                "authorization_endpoint": f"{page}/authorize",
                "token_endpoint": f"{url}/token",
                "jwks_uri": f"{url}/keys",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "code_challenge_methods_supported": ["S256"],
            }
        )

    async def _show_keys(self, _: web.Request) -> web.Response:
        if self._provider.mischief is Mischief.NO_KEYS:
            raise web.HTTPServiceUnavailable
        return web.json_response(self._provider.signer.published())

    async def _exchange(self, request: web.Request) -> web.StreamResponse:
        broken = await self._broken(request)
        if broken is not None:
            return broken
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            return web.json_response(self._provider.exchange(form, _client(request, form)))
        except Refusal as refusal:
            words = {"error": refusal.code, "error_description": str(refusal)}
            status = 401 if refusal.code == "invalid_client" else 400
            return web.json_response(words, status=status)

    async def _broken(self, request: web.Request) -> web.StreamResponse | None:
        """Answer as the mischief of this endpoint wants, if there is any."""
        mischief = self._provider.mischief
        if mischief is Mischief.HANGS_UP and request.transport is not None:
            request.transport.abort()
        if mischief is Mischief.SLOW:
            await asyncio.sleep(SLOW_SECONDS)
        if mischief is Mischief.TRICKLES:
            return await _trickle(request)
        answers = {
            Mischief.FAILS: lambda: web.Response(text="Something broke.", status=500),
            Mischief.HUGE: lambda: web.Response(body=b" " * HUGE_BYTES),
            Mischief.NO_JSON: lambda: web.Response(text="<html>Welcome to this hotel</html>"),
            Mischief.DEEP_JSON: lambda: web.Response(text="[" * 30_000),
            Mischief.REDIRECTS: lambda: web.HTTPTemporaryRedirect(f"{self._provider.url}/keys"),
        }
        return answers[mischief]() if mischief in answers else None


async def _trickle(request: web.Request) -> web.StreamResponse:
    """Say something every now and then, and never anything whole."""
    answer = web.StreamResponse()
    await answer.prepare(request)
    for _ in range(int(SLOW_SECONDS / TRICKLE_SECONDS)):
        await answer.write(b" ")
        await asyncio.sleep(TRICKLE_SECONDS)
    return answer


def _client(request: web.Request, form: dict[str, str]) -> Client:
    """Read who asks, by the header that RFC 6749 wants or by the form."""
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return Client(form.get("client_id", ""), form.get("client_secret", ""))
    try:
        name, _, secret = b64decode(given).decode().partition(":")
    except (Error, UnicodeDecodeError) as unreadable:
        raise Refusal("invalid_client", "The header cannot be read.") from unreadable
    return Client(unquote(name), unquote(secret))


async def _is_up(_: web.Request) -> web.Response:
    return web.Response(text="ok")
