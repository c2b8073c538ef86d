"""How mail is sent."""

from email.errors import MessageError
from email.headerregistry import Address
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings

# How a mail server may be spoken to, with the usual port of each.
SMTP_PORTS = {"smtps": 465, "smtp": 587, "smtp+plain": 25}


class MailSettings(BaseSettings):
    """How mail is sent."""

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

    @field_validator("smtp_url")
    @classmethod
    def _names_a_mail_server(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value()) if url else None
        if parts and not (parts.scheme in SMTP_PORTS and parts.hostname):
            raise ValueError(f"it must begin with {', '.join(SMTP_PORTS)}:// and name a host")
        return url

    @field_validator("mail_from")
    @classmethod
    def _is_an_address(cls, sender: str) -> str:
        try:
            Address(addr_spec=sender)
        except (ValueError, IndexError, MessageError) as wrong:
            raise ValueError("it must be an address alone, as hello@example.org") from wrong
        return sender

    @property
    def support_address(self) -> str:
        """Where people are told to write."""
        return self.support_email or self.mail_from
