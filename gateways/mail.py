"""Mail, by SMTP or by Amazon SES: one message to one recipient at a time."""

import smtplib
import ssl
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import SplitResult, unquote, urlsplit

import boto3
import idna
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from email_validator import validate_email

from settings import Settings
from settings.mail import SMTP_PORTS

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

# What SES says of a message that it will never take.
REFUSED_BY_SES = {"MessageRejected", "BadRequestException"}
# Of an identity that whoever runs this has yet to prove theirs, and in its sandbox of a recipient.
# It refuses such a mail by the same code, and takes it later.
NOT_YET = "not verified"
# By SMTP's code of a mail that is too large; all else that is said of a sender is about us.
TOO_LARGE = 552


class MailFailed(Exception):
    """The mail was not taken; `is_permanent` if trying again is of no use."""

    def __init__(self, reason: str, *, is_permanent: bool = False) -> None:
        super().__init__(reason)
        self.is_permanent = is_permanent


@dataclass(frozen=True)
class Mail:
    """One message. `reference` names it: if it is sent twice, both copies bear the same id."""

    reference: str
    recipient: str
    subject: str
    text: str
    html: str


class Mailer(Protocol):
    def send(self, mail: Mail) -> None:
        """Return when the server has taken the mail; raise MailFailed if it has not."""
        ...


def make_mailer(settings: Settings) -> Mailer:
    """Return what the settings name: SES, a server, or nobody."""
    if settings.mail_by_ses:
        return SesMailer(settings)
    return SmtpMailer(settings) if settings.smtp_url else Nobody()


class Nobody:
    """Stands for a mail server that nobody has named yet."""

    def send(self, mail: Mail) -> None:
        """Refuse for now: when a server is named, what waits is sent."""
        raise MailFailed(f"no mail server is set up for {mail.reference}: see SMTP_URL")


class SmtpMailer:
    """A mail server. Each mail has a connection of its own, with a time limit on each step."""

    def __init__(self, settings: Settings) -> None:
        if settings.smtp_url is None:
            raise ValueError("smtp_url is not set")
        self._settings = settings
        self._server = urlsplit(settings.smtp_url.get_secret_value())

    def send(self, mail: Mail) -> None:
        """Hand a mail over; see Mailer."""
        message = compose(mail, self._settings)
        with _told_plainly(), self._connected() as server:
            try:
                server.send_message(message)
            except smtplib.SMTPNotSupportedError as refused:
                # Its mailbox has letters that this server does not know, and will not learn.
                raise MailFailed("the server takes no such address", is_permanent=True) from refused

    @contextmanager
    def _connected(self) -> Generator[smtplib.SMTP]:
        parts, timeout = self._server, self._settings.mail_timeout_seconds
        place = (parts.hostname or "", parts.port or SMTP_PORTS[parts.scheme])
        if parts.scheme == "smtps":
            server = smtplib.SMTP_SSL(*place, timeout=timeout, context=ssl.create_default_context())
        else:
            server = smtplib.SMTP(*place, timeout=timeout)
        try:
            _introduce(server, parts)
            yield server
            # Taken is taken: a server that does not say goodbye changes nothing.
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
        finally:
            server.close()


class SesMailer:
    """Amazon SES. It is asked once a try: trying again by itself could send a mail twice."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def _client(self) -> "SESV2Client":
        timeout = self._settings.mail_timeout_seconds
        return boto3.client(  # pyright: ignore[reportUnknownMemberType]  # boto3 has no types
            "sesv2",
            region_name=self._settings.ses_region,
            endpoint_url=self._settings.ses_endpoint_url,
            config=Config(
                connect_timeout=timeout, read_timeout=timeout, retries={"total_max_attempts": 1}
            ),
        )

    def send(self, mail: Mail) -> None:
        """Hand a mail over; see Mailer."""
        message = compose(mail, self._settings)
        try:
            self._client.send_email(
                FromEmailAddress=str(message["From"]),
                Destination={"ToAddresses": [str(message["To"])]},
                Content={"Raw": {"Data": message.as_bytes()}},
            )
        except ClientError as error:
            details = cast(dict[str, dict[str, str]], error.response)
            code = details.get("Error", {}).get("Code", "")
            is_permanent = code in REFUSED_BY_SES and NOT_YET not in str(error)
            raise MailFailed(str(error), is_permanent=is_permanent) from error
        except BotoCoreError as error:
            raise MailFailed(str(error)) from error


def compose(mail: Mail, settings: Settings) -> EmailMessage:
    """Put a message together: plain text first, HTML beside it. A bad address is refused for good.

    A bad sender is refused for now: the settings can be put right, and the mail is sent then. The
    library refuses a line break in any header, so nobody's name adds one.
    """
    message = EmailMessage(policy=SMTP)
    sender_domain = settings.mail_from.rpartition("@")[2]
    message["From"] = _sender(settings)
    try:
        message["To"] = _recipient(mail.recipient)
        message["Subject"] = mail.subject
    except (ValueError, IndexError, MessageError) as refused:
        raise MailFailed(f"a header is not sound: {refused}", is_permanent=True) from refused
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{mail.reference}@{sender_domain}>"
    # No machine should answer a machine.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


def _sender(settings: Settings) -> Address:
    try:
        return Address(settings.product_name, addr_spec=settings.mail_from)
    except (ValueError, IndexError, MessageError) as wrong:
        raise MailFailed(f"MAIL_FROM or PRODUCT_NAME is not sound: {wrong}") from wrong


def _recipient(address: str) -> Address:
    """Return an address with its domain in ASCII, as every server understands it."""
    mailbox, _, domain = address.rpartition("@")
    try:
        # Not Python's own, of 2003, to which faß.de is fass.de: another domain, of somebody else.
        domain = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError as refused:
        raise ValueError("no such domain") from refused
    if mailbox.isascii():
        return Address(addr_spec=f"{mailbox}@{domain}")
    # Python's own check takes only ASCII here.
    validate_email(address, check_deliverability=False)
    return Address(username=mailbox, domain=domain)


def _introduce(server: smtplib.SMTP, parts: SplitResult) -> None:
    if parts.scheme == "smtp":
        server.starttls(context=ssl.create_default_context())
    if parts.username:
        server.login(unquote(parts.username), unquote(parts.password or ""))


@contextmanager
def _told_plainly() -> Generator[None]:
    try:
        yield
    except smtplib.SMTPAuthenticationError as error:
        # Our own credentials are wrong, not the mail: whoever runs this can mend that.
        raise MailFailed(f"the mail server does not let us in ({error.smtp_code})") from error
    except smtplib.SMTPRecipientsRefused as error:
        (code, words), *_ = error.recipients.values()
        raise MailFailed(_said(code, words), is_permanent=code >= 500) from error
    except smtplib.SMTPSenderRefused as error:
        # Our own address is wrong, or not ours to send by.
        is_permanent = error.smtp_code == TOO_LARGE
        raise MailFailed(_said(error.smtp_code, error.smtp_error), is_permanent=is_permanent) from (
            error
        )
    except smtplib.SMTPResponseException as error:
        is_permanent = error.smtp_code >= 500
        raise MailFailed(_said(error.smtp_code, error.smtp_error), is_permanent=is_permanent) from (
            error
        )
    except (smtplib.SMTPException, OSError) as error:
        raise MailFailed(f"{type(error).__name__}: {error}") from error


def _said(code: int, words: bytes | str) -> str:
    said = words.decode(errors="replace") if isinstance(words, bytes) else words
    return f"{code} {said}"
