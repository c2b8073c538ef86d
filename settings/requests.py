"""What one visitor may ask for, and how much of it."""

from typing import Annotated

from limits import parse_many
from pydantic import AfterValidator, Field, SecretStr
from pydantic_settings import BaseSettings


def _rate(words: str) -> str:
    """Return a rate that can be read; one that cannot would be no limit at all, and nobody knew."""
    try:
        parse_many(words)
    except ValueError as wrong:
        raise ValueError('it must be like "10 per minute; 60 per hour"') from wrong
    return words


Rate = Annotated[str, AfterValidator(_rate)]


class RequestSettings(BaseSettings):
    """What one visitor may ask for, and how much of it."""

    # Requests. A form without files may be so large, and have so many fields.
    form_max_bytes: int = Field(default=128 * 1024, ge=16 * 1024)
    form_max_fields: int = Field(default=100, ge=20)
    # The form of a message, without its files: 20,000 letters are up to 240,000 bytes in a form.
    message_form_max_bytes: int = Field(default=512 * 1024, ge=256 * 1024)

    # Uploads
    upload_max_bytes: int = 10 * 1024 * 1024
    upload_max_files: int = 5
    upload_text_max_chars: int = 200_000
    # A file that the assistant hands over with an answer.
    handed_over_max_bytes: int = Field(default=10 * 1024 * 1024, ge=1)
    # What one person's files may take in storage: those of sent messages and of answers, which stay
    # until they or their conversation go, and those that wait for a word whether a message may cost
    # so much.
    uploads_max_bytes_per_user: int = Field(default=1_000_000_000, ge=1)
    staged_max_bytes_per_user: int = Field(default=100_000_000, ge=1)
    # What their assistant's memory and workspace may take, as they would be restored. Of uploads
    # the workspace keeps the newest half a gibibyte; more than a gibibyte is restored nowhere.
    state_max_bytes_per_user: int = Field(default=1024**3, ge=1024**2, le=1024**3)
    # What an archive of all that is a user's may hold, unpacked; files beyond that are left out of
    # it and named. And how large one that is brought may be.
    export_max_bytes: int = Field(default=2 * 1024**3, ge=1024**2)
    import_max_bytes: int = Field(default=48 * 1024**2, ge=1024**2, le=60 * 1024**2)
    # All files of one message together are read for the assistant within this.
    upload_reading_seconds: float = Field(default=10, gt=0)

    # flask-limiter's notation.
    login_rate_limit: Rate = "10 per minute; 60 per hour"
    signup_rate_limit: Rate = "10 per minute; 40 per hour"
    # Mails that somebody asks for: links that verify an address, or let a new password be chosen.
    mail_rate_limit: Rate = "3 per 10 minutes; 10 per day"
    payment_rate_limit: Rate = "10 per minute; 40 per hour"
    # Archives that one login may bring.
    import_rate_limit: Rate = "5 per hour; 10 per day"
    # Browsers that one login may switch notifications on in.
    push_rate_limit: Rate = "10 per minute; 40 per hour"
    # All forms that one login, or one network of a stranger, may send, beside the stricter ones.
    post_rate_limit: Rate = "120 per minute; 2000 per hour"
    # Bytes that one login may send with its messages.
    upload_rate_limit: Rate = "250000000 per hour; 1000000000 per day"
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
    # So long can somebody change their mind who has ordered their account to be deleted.
    account_deletion_days: int = Field(default=14, ge=0, le=90)
