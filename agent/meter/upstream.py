"""Sends a call on to its provider, through the provider's own SDK, and streams the answer back.

The SDKs keep the key, retry what may be retried before the first byte, and set the headers of their
API. Bodies and answers pass through as they are: anthropic and openai hand out the raw response of
any path; google-genai streams the decoded chunks of its own transport, which we write out again.
"""

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import httpx2

from agent.catalogue import Model
from agent.meter.wires import Body
from settings import Settings

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic
    from google.genai import Client
    from openai import AsyncOpenAI

# What a cell may tell the provider beside the body: which features it uses, nothing of ourselves.
PASSED_HEADERS = ("anthropic-beta", "anthropic-version", "openai-beta")
EVENT_STREAM = "text/event-stream"
# The SDKs want a key even where the server wants none.
NO_KEY = "none"
DEMO_KEY = "demo"


class ProviderFailed(Exception):
    """The provider refused or could not be reached; `status` is its HTTP status, 0 for none."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Upstream:
    """An answer that has begun: its first byte is there or on its way."""

    media_type: str
    request_id: str | None
    chunks: AsyncIterator[bytes]


class Providers:
    """The SDK clients of one event loop, made when first used: their import takes seconds."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._timeout = httpx2.Timeout(
            settings.provider_stall_seconds, connect=settings.provider_connect_seconds
        )

    async def send(
        self, model: Model, path: str, body: Body, headers: Mapping[str, str], *, is_stream: bool
    ) -> Upstream:
        """Send a request; return when its answer begins. Raises ProviderFailed."""
        if model.provider == "gemini":
            return await self._send_google(model, body, is_stream=is_stream)
        client = self._client(model)
        passed = {name: headers[name] for name in PASSED_HEADERS if name in headers}
        return await _send_raw(client, path, body, passed, is_stream=is_stream)

    async def aclose(self) -> None:
        """Close the connections."""
        for name in ("_anthropic", "_openai", "_compatible", "_demo"):
            client = self.__dict__.get(name)
            if client is not None:
                await client.close()

    def _client(self, model: Model) -> "AsyncAnthropic | AsyncOpenAI":
        match model.provider:
            case "anthropic":
                return self._anthropic
            case "openai":
                return self._openai
            case "compatible":
                return self._compatible
            case _:
                return self._demo

    @cached_property
    def _anthropic(self) -> "AsyncAnthropic":
        from anthropic import AsyncAnthropic  # noqa: PLC0415  # slow: only who uses it waits

        key = self._settings.anthropic_api_key
        return AsyncAnthropic(
            api_key=key.get_secret_value() if key else NO_KEY,
            base_url=self._settings.anthropic_base_url,
            timeout=self._timeout,
            max_retries=self._settings.provider_max_retries,
        )

    @cached_property
    def _openai(self) -> "AsyncOpenAI":
        key = self._settings.openai_api_key
        return self._openai_like(
            key.get_secret_value() if key else NO_KEY, self._settings.openai_base_url
        )

    @cached_property
    def _compatible(self) -> "AsyncOpenAI":
        key = self._settings.compatible_api_key
        return self._openai_like(
            key.get_secret_value() if key else NO_KEY, self._settings.compatible_base_url
        )

    @cached_property
    def _demo(self) -> "AsyncOpenAI":
        return self._openai_like(DEMO_KEY, f"{self._settings.demo_model_url}/v1")

    def _openai_like(self, key: str, base_url: str | None) -> "AsyncOpenAI":
        from openai import AsyncOpenAI  # noqa: PLC0415  # slow: only who uses it waits

        return AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            timeout=self._timeout,
            max_retries=self._settings.provider_max_retries,
        )

    @cached_property
    def _google(self) -> "Client":
        from google import genai  # noqa: PLC0415  # slow: only who uses it waits
        from google.genai import types  # noqa: PLC0415

        key = self._settings.gemini_api_key
        retries = types.HttpRetryOptions(attempts=self._settings.provider_max_retries + 1)
        return genai.Client(
            api_key=key.get_secret_value() if key else NO_KEY,
            http_options=types.HttpOptions(
                base_url=self._settings.gemini_base_url,
                # Some models are only there; the SDK's own default has changed before.
                api_version="v1beta",
                timeout=int(self._settings.provider_stall_seconds * 1000),
                retry_options=retries,
                httpx_async_client=httpx2.AsyncClient(timeout=self._timeout),
            ),
        )

    async def _send_google(self, model: Model, body: Body, *, is_stream: bool) -> Upstream:
        from google.genai import errors  # noqa: PLC0415  # slow: only who uses it waits

        # The public generate_content_stream drops fields that it does not know; this is what it
        # calls underneath. The version is pinned, and a test compares the bytes.
        api: Any = self._google._api_client  # pyright: ignore[reportPrivateUsage]
        try:
            if not is_stream:
                answer = await api.async_request(
                    "post", f"models/{model.name}:generateContent", body
                )
                whole = cast(str, answer.body).encode()
                return Upstream("application/json", None, _one(whole))
            path = f"models/{model.name}:streamGenerateContent?alt=sse"
            answers = await api.async_request_streamed("post", path, body)
        except errors.APIError as error:
            raise ProviderFailed(error.code or 0, str(error.message)) from error
        except httpx2.HTTPError as error:
            raise ProviderFailed(0, repr(error)) from error
        return Upstream(EVENT_STREAM, None, _google_chunks(answers))


async def _send_raw(
    client: "AsyncAnthropic | AsyncOpenAI",
    path: str,
    body: Body,
    headers: Mapping[str, str],
    *,
    is_stream: bool,
) -> Upstream:
    import anthropic  # noqa: PLC0415  # slow: only who uses it waits
    import openai  # noqa: PLC0415

    try:
        # With `stream` the SDK returns at the headers and leaves the body to us.
        response = await cast(Any, client).post(
            path,
            body=body,
            options={"headers": dict(headers)},
            cast_to=httpx2.Response,
            stream=True,
            stream_cls=anthropic.AsyncStream if _is_anthropic(client) else openai.AsyncStream,
        )
    except (anthropic.APIStatusError, openai.APIStatusError) as error:
        raise ProviderFailed(error.status_code, error.message) from error
    except (anthropic.APIConnectionError, openai.APIConnectionError) as error:
        raise ProviderFailed(0, repr(error)) from error
    answer = cast(httpx2.Response, response)
    request_id = answer.headers.get("request-id") or answer.headers.get("x-request-id")
    media_type = answer.headers.get(
        "content-type", EVENT_STREAM if is_stream else "application/json"
    )
    return Upstream(media_type, request_id, _raw_chunks(answer))


def _is_anthropic(client: "AsyncAnthropic | AsyncOpenAI") -> bool:
    return type(client).__module__.startswith("anthropic")


async def _raw_chunks(response: httpx2.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_bytes():
            yield chunk
    except httpx2.HTTPError as error:
        raise ProviderFailed(0, repr(error)) from error
    finally:
        await response.aclose()


async def _google_chunks(answers: AsyncIterator[Any]) -> AsyncIterator[bytes]:
    from google.genai import errors  # noqa: PLC0415  # slow: only who uses it waits

    try:
        async for answer in answers:
            document = json.dumps(
                json.loads(answer.body), separators=(",", ":"), ensure_ascii=False
            )
            yield f"data: {document}\r\n\r\n".encode()
    except errors.APIError as error:
        raise ProviderFailed(error.code or 0, str(error.message)) from error
    except httpx2.HTTPError as error:
        raise ProviderFailed(0, repr(error)) from error
    finally:
        await cast(Any, answers).aclose()


async def _one(whole: bytes) -> AsyncIterator[bytes]:
    yield whole
