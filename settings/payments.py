"""Stripe, and what may be bought."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings


class PaymentSettings(BaseSettings):
    """Stripe, and what may be bought."""

    # Payments. Without a key nothing can be bought; embedded, a stand-in for Stripe has one.
    stripe_secret_key: SecretStr | None = None
    stripe_webhook_secret: SecretStr | None = None
    # Unset means Stripe's own.
    stripe_api_base: str | None = None
    # Where people are sent to pay; the pages of ours let their forms lead there.
    payment_page_origins: tuple[str, ...] = (
        "https://checkout.stripe.com",
        "https://billing.stripe.com",
    )
    # Whether Stripe adds taxes and asks businesses for their tax number.
    stripe_tax: bool = False
    top_up_min_micros: int = Field(default=5_000_000, ge=500_000, multiple_of=10_000)
    top_up_max_micros: int = Field(default=500_000_000, multiple_of=10_000)
    # Who opened the payment page has so long; Stripe allows 30 minutes to 24 hours.
    checkout_minutes: int = Field(default=60, ge=30, le=1440)
    # How often Stripe is asked for what its webhooks did not tell, and how far back.
    reconcile_seconds: float = 300
    reconcile_hours: int = Field(default=72, ge=1, le=720)
    # The audit holds the payments and refunds of so many days against Stripe's, at most so many of
    # each; it looks further back only for what it has found and not seen mended.
    audit_stripe_days: int = Field(default=7, ge=1, le=90)
    audit_stripe_most: int = Field(default=10_000, ge=100)

    @property
    def sells_credits(self) -> bool:
        """Whether anything can be bought: both the key and the webhooks' secret are there."""
        return self.stripe_secret_key is not None and self.stripe_webhook_secret is not None
