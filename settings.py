"""Every setting of the product, typed once.

Values come from the environment, then from a `.env` file; names are the upper-case field names.
Nothing connects when this module is imported.
"""

import re
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_network
from pathlib import Path
from tempfile import gettempdir
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_DIR = Path(__file__).resolve().parent
# How a mail server may be spoken to, with the usual port of each.
SMTP_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}
SECRET_KEY_LENGTH = 32
# So many different characters has any random key of that length, hexadecimal ones too.
SECRET_KEY_VARIETY = 8
VAPID_KEY = re.compile(r"[A-Za-z0-9_-]{43}")
PUSH_SERVICE = re.compile(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+")
OWN_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})


class PriceOverride(BaseModel, frozen=True):
    """What a provider asks for a model that genai-prices lacks, in dollars per million tokens."""

    input: Decimal = Field(gt=0)
    output: Decimal = Field(gt=0)
    cache_read: Decimal | None = Field(default=None, gt=0)
    cache_write: Decimal | None = Field(default=None, gt=0)


class AudioPriceOverride(BaseModel, frozen=True, extra="forbid"):
    """What a provider asks for a minute of a recording, in dollars."""

    minute: Decimal = Field(gt=0)


class Settings(BaseSettings):
    # What is wrong with a secret is said without the secret. A variable that is there and empty, as
    # container platforms hand down a key that nobody has filled in, is not set.
    model_config = SettingsConfigDict(
        env_file=".env",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        hide_input_in_errors=True,
    )

    product_name: str = "Shellmate"
    # What people type to reach us; links and cookies follow it (https makes cookies Secure).
    public_url: str = "http://127.0.0.1:8000"
    # Host names the site answers to, beside the one in public_url.
    trusted_hosts: tuple[str, ...] = ()
    # How many proxies in front of us set X-Forwarded-For and -Proto (an AWS load balancer is one).
    trusted_proxies: int = 0
    # Signs sessions and links in mails: 32 characters or more, random, and the same everywhere.
    secret_key: SecretStr
    log_format: Literal["json", "console"] = "json"
    log_level: str = "INFO"

    # Stores
    database_url: SecretStr
    redis_url: SecretStr
    s3_bucket: str = "shellmate"
    s3_region: str = "us-east-1"
    # Unset means Amazon's own; then keys come from the task's role.
    s3_endpoint_url: str | None = None
    s3_access_key_id: SecretStr | None = None
    s3_secret_access_key: SecretStr | None = None

    # Mail goes by a server, or by Amazon SES. With neither it waits in vain, and the log says so.
    # smtps://user:password@host (port 465) is encrypted from the first byte; smtp://… (587) by
    # STARTTLS, or nothing is sent; smtp+plain://… (25) never: for a server on the same machine.
    smtp_url: SecretStr | None = None
    mail_by_ses: bool = False
    ses_region: str = "us-east-1"
    # Unset means Amazon's own; keys come from the task's role.
    ses_endpoint_url: str | None = None
    # The sender's address, of a domain that may send; the name beside it is the product's.
    mail_from: str = "hello@localhost"
    # Where people may write to; unset means the sender's address.
    support_email: str | None = None
    # A server that says nothing for this long is tried again later.
    mail_timeout_seconds: float = Field(default=20, gt=0, le=60)
    # A page on which everybody's mail can be read, linked where mail is promised: never in earnest.
    mailbox_url: str | None = None

    # What is deployed, such as a tag or a revision: workers say it, and admins read it.
    release: str = ""

    # Jobs. A worker that is silent for a lease is presumed dead, and its jobs go to others.
    job_lease_seconds: float = 30
    job_heartbeat_seconds: float = 5
    job_time_limit_seconds: float = 600
    job_max_attempts: int = 3
    job_retry_delay_seconds: float = 2
    # After SIGTERM running turns may finish for this long; then they go back to the queue.
    worker_drain_seconds: float = 20
    # A worker that is still there so long after SIGTERM, because something hangs, ends at once: its
    # jobs then go on elsewhere as those of a dead one. Fargate kills after 120 seconds at most.
    worker_stop_seconds: float = 100
    # How often the clock looks for lost wake-ups and dead workers.
    sweep_seconds: float = 5
    # How often it audits the books.
    audit_seconds: float = 3600
    # What is over goes after so many days, unless it is about money: mails, links in them, alerts,
    # sessions, refusals of the free credit, workers. No month's limit is told of twice.
    kept_days: int = Field(default=90, ge=40)
    # A person's next job waits this long for the worker that holds their hot cell.
    hot_cell_preference_seconds: float = 2
    # One person may have this many messages waiting; the next one is refused with a notice.
    max_waiting_jobs_per_user: int = 20
    # So many people may wait for a worker at once; whoever comes then is asked to try again later.
    max_waiting_users: int = 5000

    # Cells: one OpenClaw process tree each, about 1 GB of memory.
    cells_per_worker: int = Field(default=0, ge=0, description="0 takes it from free memory")
    spare_cells: int = 1
    hot_cell_idle_seconds: float = 900
    # One that was bound when its person opened the chat, and has not been asked anything since.
    warmed_cell_idle_seconds: float = 180
    # A turn that waits for no provider, and in which nothing has moved for so long, is stuck: it is
    # tried again in another cell.
    cell_silent_seconds: float = 90
    # After so many turns, or once its processes have grown so large, a cell that has nothing to do
    # is ended; the person's next message takes a fresh one.
    cell_max_turns: int = Field(default=200, ge=1)
    cell_memory_recycle_mb: int = Field(default=1_600, ge=1)
    # A cell that takes more than this is ended at once, whatever it is at.
    cell_memory_limit_mb: int = Field(default=2_400, ge=1)
    # A cell that has more than this on the disk, or more files and folders, is ended as well: about
    # twice what is kept of a person, since their database is copied while it is saved.
    cell_disk_limit_mb: int = Field(default=2_560, ge=64)
    cell_files_limit: int = Field(default=20_000, ge=2_000)
    # Node and OpenClaw as `embedded.engine` or the image installed them.
    engine_dir: Path = PROJECT_DIR / ".engine"
    node_path: Path | None = None
    bwrap_path: Path | None = None
    # State and sockets of live cells; emptied when a worker starts. One folder a worker.
    cells_dir: Path = Path(gettempdir()) / "shellmate-cells"
    # The first of the unprivileged uids that cells run under, when the worker runs as root.
    cell_uid_base: int = 64000
    # Parsers of answers and of files that people send run in helper processes, under this uid when
    # the process that has them is root; so many at most, in each process, for words and for files.
    untrusted_uid: int = Field(default=63999, ge=1)
    untrusted_text_helpers: int = Field(default=4, ge=2)
    untrusted_file_helpers: int = Field(default=3, ge=2)
    # "bwrap" has no cells without namespaces, "jail" none without a root of their own and without
    # every network closed; "uid" accepts separation by uid alone and then runs one person's cell at
    # a time; "auto" takes the best of them and says so in the log. "none" separates cells from
    # nothing: for a machine of one's own, and refused where others come in.
    sandbox: Literal["auto", "bwrap", "jail", "uid", "none"] = "auto"
    # The root of jailed cells, where an image brings one (agent.cells.host.jail); only its folder
    # `cells` has to be writable then. Unset, each worker makes its own below CELLS_DIR.
    jail_dir: Path | None = None

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
    # Below this people are told that their credits run low.
    low_balance_micros: int = Field(default=200_000, ge=0)
    # So much of what providers get do we carry for one person in a day (of UTC), whatever failed;
    # beyond it charges stand.
    absorbed_daily_limit_micros: int = Field(default=500_000, ge=0)
    # So much may one admin adjust of users' credits in 24 hours, either way.
    admin_adjustment_limit_micros: int = Field(default=100_000_000, ge=0)
    # What an hour of a busy cell is reckoned to cost us, for the profit of each user.
    compute_hour_micros: int = Field(default=60_000, ge=0)
    # Stripe's fee for a payment, for the same.
    stripe_fee_percent: float = Field(default=2.9, ge=0, le=20)
    stripe_fee_fixed_micros: int = Field(default=300_000, ge=0)
    turn_max_calls: int = 40
    turn_max_cost_micros: int = 2_000_000
    # Granted credits lapse after so many days; 0 is never. Bought ones never do.
    grant_expires_days: int = Field(default=365, ge=0)

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

    # Providers. A provider without a key is not offered; with none at all the demo model answers.
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str | None = None
    anthropic_models: tuple[str, ...] = ("claude-sonnet-5-5", "claude-haiku-5-5", "claude-opus-5-5")
    openai_api_key: SecretStr | None = None
    openai_base_url: str | None = None
    openai_models: tuple[str, ...] = ("gpt-6.1-terra", "gpt-6-luna", "gpt-6.1-sol")
    gemini_api_key: SecretStr | None = None
    gemini_base_url: str | None = None
    gemini_models: tuple[str, ...] = ("gemini-3.8-flash", "gemini-4-argon")
    # Anything that speaks OpenAI chat completions: Ollama, vLLM, a router.
    compatible_api_key: SecretStr | None = None
    compatible_base_url: str | None = None
    compatible_models: tuple[str, ...] = ()
    demo_model_url: str | None = None
    default_model: str | None = None
    # A conversation that takes three quarters of this is summarized, whatever its model could read;
    # for dear models it is less.
    context_window_tokens: int = Field(default=64_000, ge=16_000)
    # By "provider/model", for models that genai-prices does not know.
    price_overrides: dict[str, PriceOverride | AudioPriceOverride] = Field(default_factory=dict)
    provider_connect_seconds: float = 10
    # A provider that sends nothing for this long has stalled.
    provider_stall_seconds: float = 60
    provider_max_retries: int = 2

    # Voice: recordings are transcribed by the provider whose model a user has chosen, or else by
    # the first of these that is there. With "off" a provider does not transcribe.
    openai_transcription_model: str = "gpt-transcribe"
    gemini_transcription_model: str = "gemini-3.5-flash-lite"
    # Anything that speaks OpenAI's audio transcriptions, such as a Whisper server of one's own. It
    # needs a price in PRICE_OVERRIDES: {"compatible/whisper-1": {"minute": "0.001"}}.
    transcription_base_url: str | None = None
    transcription_api_key: SecretStr | None = None
    transcription_model: str = "whisper-1"
    # A provider that takes longer in all is given up; no web server waits longer for an answer.
    transcription_timeout_seconds: float = Field(default=50, gt=0, le=300)
    voice_max_seconds: int = Field(default=600, ge=60, le=1_500)
    voice_max_bytes: int = Field(default=20 * 1024 * 1024, ge=64 * 1024, le=25 * 1024 * 1024)

    # Signing in with Google, offered where both are set; embedded, a stand-in for Google has them.
    # The redirect URI to register at Google is public_url with /login/google/return.
    google_client_id: str | None = None
    google_client_secret: SecretStr | None = None
    # Its discovery document says where all else is; forms of ours may lead to its origin.
    google_issuer: str = "https://accounts.google.com"
    google_timeout_seconds: float = Field(default=5, gt=0, le=30)

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

    # Requests. A form without files may be so large, and have so many fields.
    form_max_bytes: int = Field(default=128 * 1024, ge=16 * 1024)
    form_max_fields: int = Field(default=100, ge=20)
    # The form of a message, without its files: 20,000 letters are up to 240,000 bytes in a form.
    message_form_max_bytes: int = Field(default=512 * 1024, ge=256 * 1024)

    # Uploads
    upload_max_bytes: int = 10 * 1024 * 1024
    upload_max_files: int = 5
    upload_text_max_chars: int = 200_000
    # What one person's files may take in storage: those of sent messages, which stay until their
    # conversation goes, and those that wait for a word whether a message may cost so much.
    uploads_max_bytes_per_user: int = Field(default=1_000_000_000, ge=1)
    staged_max_bytes_per_user: int = Field(default=100_000_000, ge=1)
    # What their assistant's memory and workspace may take, as they would be restored. Of uploads
    # the workspace keeps the newest half a gibibyte; more than a gibibyte is restored nowhere.
    state_max_bytes_per_user: int = Field(default=1024**3, ge=1024**2, le=1024**3)
    # All files of one message together are read for the assistant within this.
    upload_reading_seconds: float = Field(default=10, gt=0)

    # flask-limiter's notation.
    login_rate_limit: str = "10 per minute; 60 per hour"
    signup_rate_limit: str = "10 per minute; 40 per hour"
    # Mails that somebody asks for: links that verify an address, or let a new password be chosen.
    mail_rate_limit: str = "3 per 10 minutes; 10 per day"
    payment_rate_limit: str = "10 per minute; 40 per hour"
    # Browsers that one login may switch notifications on in.
    push_rate_limit: str = "10 per minute; 40 per hour"
    # All forms that one login, or one network of a stranger, may send, beside the stricter ones.
    post_rate_limit: str = "120 per minute; 2000 per hour"
    # Bytes that one login may send with its messages.
    upload_rate_limit: str = "250000000 per hour; 1000000000 per day"
    # Live streams that one login may have open in a web process: one for each tab or screen.
    live_streams_per_user: int = Field(default=12, ge=1)
    # Requests, other than streams, that one user or network may have under way in a web process.
    requests_at_once_per_user: int = Field(default=12, ge=1)
    requests_at_once_per_network: int = Field(default=100, ge=1)
    # Who sends it as "Authorization: Bearer ..." reads at /readyz what is missing; all others read
    # whether anything is.
    readyz_token: SecretStr | None = None
    # argon2 memory in KiB; tests lower it.
    password_memory_kib: Annotated[int, Field(ge=64)] = 65536
    session_days: int = 60

    @field_validator("secret_key")
    @classmethod
    def _is_hard_to_guess(cls, key: SecretStr) -> SecretStr:
        letters = key.get_secret_value()
        if len(letters) < SECRET_KEY_LENGTH or len(set(letters)) < SECRET_KEY_VARIETY:
            raise ValueError(f"it must be {SECRET_KEY_LENGTH} random characters or more")
        return key

    @field_validator("smtp_url")
    @classmethod
    def _names_a_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url else None
        if parts and not (parts.scheme in SMTP_PORTS and parts.hostname):
            raise ValueError(f"it must begin with {', '.join(SMTP_PORTS)}:// and name a host")
        return url

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

    @field_validator("free_credit_blocked")
    @classmethod
    def _names_networks(cls, entries: tuple[str, ...]) -> tuple[str, ...]:
        for entry in entries:
            if "/" in entry:
                ip_network(entry, strict=False)
        return entries

    @model_validator(mode="after")
    def _has_walls_where_others_come_in(self) -> Self:
        if self.sandbox == "none" and not self.is_on_own_machine:
            raise ValueError(
                "SANDBOX=none is for one's own machine: with this PUBLIC_URL others can come in"
            )
        return self

    @property
    def sells_credits(self) -> bool:
        """Whether anything can be bought: both the key and the webhooks' secret are there."""
        return self.stripe_secret_key is not None and self.stripe_webhook_secret is not None

    @property
    def offers_google(self) -> bool:
        """Whether people can sign in with Google: both its id and its secret for us are there."""
        return bool(self.google_client_id and self.google_client_secret)

    @property
    def offers_push(self) -> bool:
        """Whether browsers can be switched on to show notifications."""
        return bool(self.vapid_private_key)

    @property
    def support_address(self) -> str:
        """Where people are told to write."""
        return self.support_email or self.mail_from

    @property
    def is_on_own_machine(self) -> bool:
        """Whether the site is only called from the machine that it runs on, as when trying out."""
        return not self.is_secure and urlsplit(self.public_url).hostname in OWN_MACHINE

    @property
    def is_secure(self) -> bool:
        return self.public_url.startswith("https://")


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Read the settings once per process; a missing one raises ValidationError that names it."""
    return Settings()  # pyright: ignore[reportCallIssue]  # the environment fills them
