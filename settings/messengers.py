"""Where users write and are written to, beside the website."""

import re
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

from settings.places import OWN_MACHINE

VAPID_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
PUSH_SERVICE = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+")


class MessengerSettings(BaseSettings):
    """Where users write and are written to, beside the website."""

    # Telegram: the token of the one bot that everybody shares; without it there is none.
    telegram_bot_token: SecretStr | None = None
    # Which Telegram repeats in a header, so that nobody else can hand updates in.
    telegram_webhook_secret: SecretStr | None = None
    # The stand-in's, or that of a Bot API server of one's own.
    telegram_api_base: str = "https://api.telegram.org"
    # Where a user's messenger opens a chat with the bot: the stand-in's page on one's own machine.
    telegram_link_base: str = "https://t.me"
    telegram_timeout_seconds: float = Field(default=20, gt=0, le=60)
    # Where the process that asks Telegram for updates hands them in; unset means public_url.
    web_origin: str | None = None

    # Notifications in browsers (web push): without a key they are not offered. It signs them: 32
    # random bytes in base64url. Browsers that know another one have to be asked again.
    vapid_private_key: SecretStr | None = None
    # The push services of browsers, by host or all hosts below one. What a browser names beside
    # them is not called. The origin of a stand-in (http://127.0.0.1:…) is for one's own machine.
    push_services: tuple[str, ...] = (
        "fcm.googleapis.com",
        "*.push.services.mozilla.com",
        "*.notify.windows.com",
        "*.push.apple.com",
    )
    push_timeout_seconds: float = Field(default=10, gt=0, le=60)
    # Whoever does not watch an answer is told of it when it took longer than this.
    long_work_seconds: float = Field(default=60, gt=0)
    # So many mails of notifications go to a user in a day of theirs; the rest is one mail later.
    notification_mails_a_day: int = Field(default=20, ge=1)

    @field_validator("vapid_private_key")
    @classmethod
    def _is_a_signing_key(cls, key: SecretStr | None) -> SecretStr | None:
        if key and not VAPID_KEY.fullmatch(key.get_secret_value()):
            raise ValueError("it must be 32 bytes in base64url, without padding")
        return key

    @field_validator("push_services")
    @classmethod
    def _names_push_services(cls, services: tuple[str, ...]) -> tuple[str, ...]:
        for service in services:
            is_own = urlsplit(service).hostname in OWN_MACHINE and not service.endswith("/")
            if not is_own and not PUSH_SERVICE.fullmatch(service):
                raise ValueError("each must be a host name, *. and a host name, or on this machine")
        return services

    @property
    def offers_push(self) -> bool:
        """Whether browsers can be switched on to show notifications."""
        return bool(self.vapid_private_key)
