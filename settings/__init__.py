"""Every setting of the product, typed once; each group of them has a module here.

Values come from the environment, then from a `.env` file; names are the upper-case field names.
Nothing connects when this package is imported.
"""

from functools import lru_cache
from typing import Self

from pydantic import model_validator
from pydantic_settings import SettingsConfigDict

from settings.analytics import AnalyticsSettings
from settings.cells import CellSettings
from settings.jobs import JobSettings
from settings.mail import MailSettings
from settings.messengers import MessengerSettings
from settings.money import MoneySettings
from settings.payments import PaymentSettings
from settings.places import PROJECT_DIR
from settings.providers import ProviderSettings
from settings.requests import RequestSettings
from settings.scaling import ScalingSettings
from settings.sign_in import SignInSettings
from settings.site import SiteSettings
from settings.stores import StoreSettings
from settings.web import WebSettings

__all__ = ["PROJECT_DIR", "Settings", "get_settings"]


class Settings(
    SiteSettings,
    StoreSettings,
    MailSettings,
    JobSettings,
    CellSettings,
    MoneySettings,
    PaymentSettings,
    ProviderSettings,
    SignInSettings,
    MessengerSettings,
    RequestSettings,
    ScalingSettings,
    WebSettings,
    AnalyticsSettings,
):
    """All of them together, as the product is given them."""

    # What is wrong with a secret is said without the secret. A variable that is there and empty, as
    # container platforms hand down a key that nobody has filled in, is not set.
    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    @model_validator(mode="after")
    def _has_walls_where_others_come_in(self) -> Self:
        if self.sandbox == "none" and not self.is_on_own_machine:
            raise ValueError(
                "SANDBOX=none is for one's own machine: with this PUBLIC_URL others can come in"
            )
        return self


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the settings once per process; a missing one raises ValidationError that names it."""
    return Settings()  # pyright: ignore[reportCallIssue]  # the environment fills them
