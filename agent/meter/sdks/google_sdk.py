"""Google's SDK for Gemini.

Its public methods read requests and answers into types of their own and drop the fields that those
lack. So we use what they use underneath: the client's own requests (address, key, headers) and its
own retries. That is private, so the version is pinned and tests compare what reaches the server.
"""

from collections.abc import Mapping
from typing import Any, cast

import httpx2
from google import genai
from google.genai import errors, types

from agent.catalogue import Provider
from agent.meter.upstream import ProviderFailed, Upstream, begun, timeouts
from agent.meter.wires import Body
from settings import Settings

# Some models are only there, and the SDK's own default has changed before.
API_VERSION = "v1beta"
FIRST_RETRY_SECONDS = 0.5
LONGEST_RETRY_SECONDS = 8.0


class GoogleSdk:
    """The raw responses of genai.Client."""

    def __init__(self, settings: Settings) -> None:
        key = settings.gemini_api_key
        self._timeouts = timeouts(settings)
        self._http = httpx2.AsyncClient(timeout=self._timeouts)
        options = types.HttpOptions(
            base_url=settings.gemini_base_url,
            api_version=API_VERSION,
            httpx_async_client=self._http,
            retry_options=types.HttpRetryOptions(
                attempts=settings.provider_max_retries + 1,
                initial_delay=FIRST_RETRY_SECONDS,
                max_delay=LONGEST_RETRY_SECONDS,
            ),
        )
        client = genai.Client(
            vertexai=False, api_key=key.get_secret_value() if key else "", http_options=options
        )
        self._api = cast(Any, client)._api_client
        self._client = client

    async def send(
        self, model: str, body: Body, headers: Mapping[str, str], *, is_stream: bool
    ) -> Upstream:
        """Send a request; return when its answer begins. Raises ProviderFailed."""
        del headers  # None of a cell's are for Google.
        verb = "streamGenerateContent?alt=sse" if is_stream else "generateContent"
        path = f"models/{model}:{verb}"
        request = self._api._build_request("post", path, dict(body))
        # Given to the client, a timeout would also be told to Google as the most that the whole
        # answer may take.
        request.timeout = self._timeouts
        try:
            response = await self._api._async_request(request, stream=True)
        except errors.APIError as error:
            raise ProviderFailed(error.code or 0, str(error.message)) from error
        except httpx2.HTTPError as error:
            raise ProviderFailed(0, repr(error)) from error
        return begun(response.response_stream, request_id_header="x-request-id")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aio.aclose()
        await self._http.aclose()


def connect(provider: Provider, settings: Settings) -> GoogleSdk:
    """Make the SDK with our key."""
    del provider
    return GoogleSdk(settings)
