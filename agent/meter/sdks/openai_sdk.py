"""OpenAI's SDK, which reaches every server that speaks chat completions as well."""

from collections.abc import Mapping
from typing import Any

import httpx2
from openai import (
    APIConnectionError,
    APIStatusError,
    AsyncOpenAI,
    AsyncStream,
    DefaultAioHttpClient,
)

from agent.catalogue import WIRES, Provider, Wire
from agent.meter.upstream import ProviderFailed, Upstream, begun, timeouts
from agent.meter.wires import Body
from settings import Settings

PATHS: dict[Wire, str] = {
    "openai-responses": "/responses",
    "openai-completions": "/chat/completions",
}
# The SDK wants a key even where the server wants none.
ANY_KEY = "none"


class OpenAISdk:
    """The raw responses of AsyncOpenAI."""

    def __init__(self, settings: Settings, *, wire: Wire, key: str, base_url: str | None) -> None:
        self._path = PATHS[wire]
        self._client = AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            timeout=timeouts(settings),
            max_retries=settings.provider_max_retries,
            # Its usual client looks at every connection for each request: with hundreds of streams
            # that took longer than all else.
            http_client=DefaultAioHttpClient(timeout=timeouts(settings)),
        )

    async def send(
        self, model: str, body: Body, headers: Mapping[str, str], *, is_stream: bool
    ) -> Upstream:
        """Send a request; return when its answer begins. Raises ProviderFailed."""
        # Both are in the body; and nothing that a cell says beside it is for OpenAI.
        del model, is_stream, headers
        try:
            # Asked for a stream, the SDK returns at the headers and leaves the body to us.
            response = await self._client.post(
                self._path,
                body=body,
                cast_to=httpx2.Response,
                stream=True,
                stream_cls=AsyncStream[Any],
            )
        except APIStatusError as error:
            raise ProviderFailed(error.status_code, error.message) from error
        except APIConnectionError as error:
            raise ProviderFailed(0, repr(error.__cause__ or error)) from error
        return begun(_raw(response), request_id_header="x-request-id")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def connect(provider: Provider, settings: Settings) -> OpenAISdk:
    """Make the SDK for OpenAI itself, for the compatible server, or for the demo model."""
    key, base_url = None, None
    if provider == "openai":
        key, base_url = settings.openai_api_key, settings.openai_base_url
    elif provider == "compatible":
        key, base_url = settings.compatible_api_key, settings.compatible_base_url
    elif settings.demo_model_url:
        base_url = f"{settings.demo_model_url.rstrip('/')}/v1"
    return OpenAISdk(
        settings,
        wire=WIRES[provider],
        key=key.get_secret_value() if key else ANY_KEY,
        base_url=base_url,
    )


def _raw(response: object) -> httpx2.Response:
    if not isinstance(response, httpx2.Response):
        raise TypeError(f"The SDK gave no raw response but {type(response)}.")
    return response
