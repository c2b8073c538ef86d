"""What things cost, and what is given away."""

from ipaddress import ip_network

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


class MoneySettings(BaseSettings):
    """What things cost, and what is given away."""

    # Money, in micro-dollars.
    sign_up_grant_micros: int = Field(default=1_000_000, ge=0)
    # The grant waits until the address is verified, and is for once a person. Without, everybody
    # who signs up has it at once.
    verify_email: bool = True
    # With verify_email: an account begins when its address is verified, so signing up tells nobody
    # whether there is one already. Without, newcomers look around at once, and it does tell.
    sign_up_by_mail: bool = True
    # So many grants a week for one network (IPv4 /24, IPv6 /48); 0 is no limit.
    free_grants_per_network: int = Field(default=5, ge=0)
    # No grant for these: an address, a domain with all below it, or a network like 203.0.113.0/24.
    free_credit_blocked: tuple[str, ...] = ()
    # Corrections to the list of domains that give everybody an address for ten minutes.
    disposable_domains: tuple[str, ...] = ()
    lasting_domains: tuple[str, ...] = ()
    margin_percent: int = Field(default=40, ge=30, le=50)
    # What a message may cost before its person is asked, unless they set a limit of their own.
    message_limit_micros: int = Field(default=250_000, gt=0)
    # What all tasks of a person may cost in a day of theirs, unless they set a limit of their own.
    task_day_limit_micros: int = Field(default=1_000_000, gt=0)
    # Below this people are told that their credits run low.
    low_balance_micros: int = Field(default=200_000, ge=0)
    # So much of what providers get do we carry for one person in a day (of UTC), whatever failed;
    # beyond it charges stand.
    absorbed_daily_limit_micros: int = Field(default=500_000, ge=0)
    # So much may one admin adjust of users' credits in 24 hours, either way.
    admin_adjustment_limit_micros: int = Field(default=100_000_000, ge=0)
    # What an hour of a busy cell is reckoned to cost us, for the profit of each user.
    compute_hour_micros: int = Field(default=60_000, ge=0)
    # What a gigabyte of saved files costs us a month, for the same.
    storage_gigabyte_month_micros: int = Field(default=23_000, ge=0)
    # Stripe's fee for a payment, for the same.
    stripe_fee_percent: float = Field(default=2.9, ge=0, le=20)
    stripe_fee_fixed_micros: int = Field(default=300_000, ge=0)
    turn_max_calls: int = 40
    turn_max_cost_micros: int = 2_000_000
    # Granted credits lapse after so many days; 0 is never. Bought ones never do.
    grant_expires_days: int = Field(default=365, ge=0)

    @field_validator("free_credit_blocked")
    @classmethod
    def _names_networks(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if "/" in entry:
                ip_network(entry, strict=False)
        return entries
