"""Where the assistant searches the web, and how it reads pages."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class WebSettings(BaseSettings):
    """Where the assistant searches the web, and how it reads pages."""

    # The first of these that is set is asked. With none the assistant has no web, and says so.
    brave_search_api_key: SecretStr | None = None
    brave_search_base_url: str = "https://api.search.brave.com"
    exa_api_key: SecretStr | None = None
    exa_base_url: str = "https://api.exa.ai"
    # A SearXNG server of one's own, which has `json` among its formats.
    searxng_base_url: str | None = None
    # What a search costs us, in micro-dollars; users pay our margin on top of it.
    brave_search_micros: int = Field(default=5_000, gt=0)
    exa_search_micros: int = Field(default=7_000, gt=0)
    searxng_search_micros: int = Field(default=1_000, gt=0)
    web_search_timeout_seconds: float = Field(default=8, gt=0, le=15)
    # Of one message's answer.
    web_max_searches: int = Field(default=12, ge=1)
    web_max_pages: int = Field(default=24, ge=1)
    # A page that somebody read is kept for others for so long.
    web_page_kept_seconds: int = Field(default=3600, ge=1)
    # Names below `.example`, which nobody can register, are looked for at this address and port:
    # the made-up web of a machine of one's own.
    web_example_address: str | None = Field(default=None, pattern=r"127\.0\.0\.1:[0-9]{1,5}")
