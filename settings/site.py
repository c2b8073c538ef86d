"""The site as a whole: its name, its address, its log."""

from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.places import OWN_MACHINE

SECRET_KEY_LENGTH = 32
# So many different characters has any random key of that length, hexadecimal ones too.
SECRET_KEY_VARIETY = 8


class SiteSettings(BaseSettings):
    """The site as a whole: its name, its address, its log."""

    product_name: str = "Shellmate"
    # What people type to reach us; links and cookies follow it (https makes cookies Secure).
    public_url: str = "http://127.0.0.1:8000"
    # Host names the site answers to, beside the one in public_url.
    trusted_hosts: tuple[str, ...] = ()
    # How many proxies in front of us set X-Forwarded-For and -Proto (an AWS load balancer is one).
    # One too many, and visitors write their own address.
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    # Signs sessions and links in mails: 32 characters or more, random, and the same everywhere.
    secret_key: SecretStr
    log_format: Literal["json", "console"] = "json"
    log_level: str = "INFO"

    # Who collects errors, by Sentry's protocol; unset, they are in the log alone.
    sentry_dsn: SecretStr | None = None
    # A statement of the database that takes longer stands in the log, without its values.
    slow_query_seconds: float = Field(default=0.5, gt=0)

    # What is deployed, such as a tag or a revision: workers say it, and admins read it.
    release: str = ""

    @field_validator("secret_key")
    @classmethod
    def _is_hard_to_guess(cls, key: SecretStr) -> SecretStr:
        letters = key.get_secret_value()
        if len(letters) < SECRET_KEY_LENGTH or len(set(letters)) < SECRET_KEY_VARIETY:
            raise ValueError(f"it must be {SECRET_KEY_LENGTH} random characters or more")
        return key

    @property
    def is_on_own_machine(self) -> bool:
        """Whether the site is only called from the machine that it runs on, as when trying out."""
        return not self.is_secure and urlsplit(self.public_url).hostname in OWN_MACHINE

    @property
    def is_secure(self) -> bool:
        return self.public_url.startswith("https://")
