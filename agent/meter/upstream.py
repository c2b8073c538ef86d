"""Sends a call on to its provider, through the provider's own SDK, and streams the answer back.

The SDKs keep the key, set the headers of their API, and retry what may be retried before an answer
begins. Bodies and answers pass through them byte for byte.
"""

import asyncio
import importlib
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Protocol, cast

import httpx2

from agent.catalogue import Model, Provider
from agent.meter.wires import Body
from settings import Settings

EVENT_STREAM = "text/event-stream"
# The modules import an SDK each, which takes seconds: only what is used is imported, in a thread.
SDKS: dict[Provider, str] = {
    "anthropic": "agent.meter.sdks.anthropic_sdk",
    "openai": "agent.meter.sdks.openai_sdk",
    "gemini": "agent.meter.sdks.google_sdk",
    "compatible": "agent.meter.sdks.openai_sdk",
    "demo": "agent.meter.sdks.openai_sdk",
}


class ProviderFailed(Exception):
    """The provider refused or could not be reached; `status` is its HTTP status, 0 for none."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Upstream:
    """An answer that has begun: its headers are there."""

    media_type: str
    request_id: str | None
    chunks: AsyncGenerator[bytes]


class Sdk(Protocol):
    """One provider's SDK with our key."""

    async def send(
        self, model: str, body: Body, headers: Mapping[str, str], *, is_stream: bool
    ) -> Upstream:
        """Send a request; return when its answer begins. Raises ProviderFailed."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Providers:
    """The SDKs of one event loop, each made when first needed and then kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._sdks: dict[Provider, Sdk] = {}
        self._making = asyncio.Lock()

    async def send(
        self, model: Model, body: Body, headers: Mapping[str, str], *, is_stream: bool
    ) -> Upstream:
        """Send a request; return when its answer begins. Raises ProviderFailed.

        However often the SDK tries, an answer must have begun when the provider's time to stall
        is over.
        """
        sdk = await self.load(model.provider)
        limit = self._settings.provider_stall_seconds
        try:
            async with asyncio.timeout(limit):
                return await sdk.send(model.name, body, headers, is_stream=is_stream)
        except TimeoutError as silence:
            raise ProviderFailed(0, f"no answer began within {limit:g} seconds") from silence

    async def load(self, provider: Provider) -> Sdk:
        """Return the SDK of a provider; the first time that takes seconds, in a thread."""
        async with self._making:
            if provider not in self._sdks:
                self._sdks[provider] = await asyncio.to_thread(_make, provider, self._settings)
            return self._sdks[provider]

    async def aclose(self) -> None:
        """Close the connections."""
        while self._sdks:
            _, sdk = self._sdks.popitem()
            await sdk.aclose()


def timeouts(settings: Settings) -> httpx2.Timeout:
    """How long a provider may take to be reached, and then be silent."""
    return httpx2.Timeout(
        settings.provider_stall_seconds, connect=settings.provider_connect_seconds
    )


def begun(response: httpx2.Response, *, request_id_header: str) -> Upstream:
    """Make an answer of a response whose body is still to be read."""
    media_type = response.headers.get("content-type", EVENT_STREAM)
    return Upstream(media_type, response.headers.get(request_id_header), _chunks(response))


async def _chunks(response: httpx2.Response) -> AsyncGenerator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx2.HTTPError as error:
        raise ProviderFailed(0, repr(error)) from error
    finally:
        await response.aclose()


def _make(provider: Provider, settings: Settings) -> Sdk:
    module = importlib.import_module(SDKS[provider])
    return cast(Sdk, module.connect(provider, settings))
