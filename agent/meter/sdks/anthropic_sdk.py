"""Anthropic's SDK."""

from collections.abc import Mapping
from typing import Any

import httpx2
from anthropic import (
    APIConnectionError,
    APIStatusError,
    AsyncAnthropic,
    AsyncStream,
    DefaultAioHttpClient,
)

from agent.catalogue import Provider
from agent.meter.upstream import ProviderFailed, Upstream, begun, timeouts
from agent.meter.wires import Body
from settings import Settings

PATH = "/v1/messages"
# The version that OpenClaw is written for.
VERSIONS = {"2023-06-01"}
# What it may make use of: others fetch, run, remember, or are charged by other prices.
BETAS = {"fine-grained-tool-streaming-2025-05-14", "interleaved-thinking-2025-05-14"}


class AnthropicSdk:
    """The raw responses of AsyncAnthropic."""

    def __init__(self, settings: Settings) -> None:
        key = settings.anthropic_api_key
        self._client = AsyncAnthropic(
            api_key=key.get_secret_value() if key else "",
            base_url=settings.anthropic_base_url,
            timeout=timeouts(settings),
            max_retries=settings.provider_max_retries,
            # Its usual client looks at every connection for each request.
            http_client=DefaultAioHttpClient(timeout=timeouts(settings)),
        )

    async def send(
        self, model: str, body: Body, headers: Mapping[str, str], *, is_stream: bool
    ) -> Upstream:
        """Send a request; return when its answer begins. Raises ProviderFailed."""
        del model, is_stream  # Both are in the body.
        passed = _passed(headers)
        try:
            # Asked for a stream, the SDK returns at the headers and leaves the body to us.
            response = await self._client.post(
                PATH,
                body=body,
                options={"headers": passed},
                cast_to=httpx2.Response,
                stream=True,
                stream_cls=AsyncStream[Any],
            )
        except APIStatusError as error:
            raise ProviderFailed(error.status_code, error.message) from error
        except APIConnectionError as error:
            raise ProviderFailed(0, repr(error.__cause__ or error)) from error
        return begun(_raw(response), request_id_header="request-id")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def connect(provider: Provider, settings: Settings) -> AnthropicSdk:
    """Make the SDK with our key."""
    del provider
    return AnthropicSdk(settings)


def _passed(headers: Mapping[str, str]) -> dict[str, str]:
    """Return what a cell may say beside the body."""
    version = headers.get("anthropic-version")
    asked = [beta.strip() for beta in headers.get("anthropic-beta", "").split(",")]
    betas = ",".join(beta for beta in asked if beta in BETAS)
    passed = {"anthropic-version": version} if version in VERSIONS else {}
    return passed | ({"anthropic-beta": betas} if betas else {})


def _raw(response: object) -> httpx2.Response:
    if not isinstance(response, httpx2.Response):
        raise TypeError(f"The SDK gave no raw response but {type(response)}.")
    return response
