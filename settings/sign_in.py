"""Signing in by other companies."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class SignInSettings(BaseSettings):
    """Signing in by other companies."""

    # Signing in with Google, offered where both are set; embedded, a stand-in for Google has them.
    # The redirect URI to register at Google is public_url with /login/google/return.
    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    # Its discovery document says where all else is; forms of ours may lead to its origin.
    google_issuer: str = "https://accounts.google.com"
    google_timeout_seconds: float = Field(default=5, gt=0, le=30)

    @property
    def offers_google(self) -> bool:
        """Whether people can sign in with Google: both its id and its secret for us are there."""
        return bool(self.google_client_id and self.google_client_secret)
