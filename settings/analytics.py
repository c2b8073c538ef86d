"""Where the steps of users are handed on to, if anywhere."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class AnalyticsSettings(BaseSettings):
    """Where the steps of users are handed on to, if anywhere."""

    # Without a key of a PostHog project nothing leaves the house. What does are codes, times, and
    # a hash instead of each user.
    posthog_key: SecretStr | None = None
    posthog_url: str = "https://eu.i.posthog.com"
    posthog_timeout_seconds: float = Field(default=10, gt=0, le=60)
