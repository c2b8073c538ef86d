"""What Telegram's library raises, as what a channel may fail with.

The Bot API has no codes for most of its errors, only sentences, which have been the same for years.
"""

from datetime import timedelta

from telegram.error import (
    BadRequest,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)

from channels.base import ChannelFailed, Trouble

MOST_WORDS = 200
# How the library's HTTP client calls what went wrong before anything of a request was written.
NOT_SENT = {
    *("ConnectError", "ConnectTimeout", "PoolTimeout", "ProxyError"),
    *("UnsupportedProtocol", "LocalProtocolError", "InvalidURL"),
}
# Parts of sentences, in lower case; the first that fits is it.
SENTENCES = (
    ("message is not modified", Trouble.REFUSED),
    ("message to edit not found", Trouble.MESSAGE_GONE),
    ("message to delete not found", Trouble.MESSAGE_GONE),
    ("message can't be edited", Trouble.MESSAGE_GONE),
    ("message can't be deleted", Trouble.MESSAGE_GONE),
    ("message identifier is not specified", Trouble.MESSAGE_GONE),
    ("message_id_invalid", Trouble.MESSAGE_GONE),
    ("chat not found", Trouble.BLOCKED),
    ("user not found", Trouble.BLOCKED),
    ("user is deactivated", Trouble.BLOCKED),
    ("peer_id_invalid", Trouble.BLOCKED),
    ("file is too big", Trouble.FILE_TOO_LARGE),
    ("request entity too large", Trouble.FILE_TOO_LARGE),
    # "can't parse entities", "ENTITY_BOUNDS_INVALID", "entity URL … is invalid".
    ("entit", Trouble.BAD_FORMATTING),
    ("too many requests", Trouble.TOO_MANY_CALLS),
)


def failure_of(error: TelegramError, *, hidden: str) -> ChannelFailed:
    """Say what an error means for whoever wanted something.

    What it says is from outside, and servers on the way may repeat the address that they were asked
    for: so `hidden`, the token in it, is taken out.
    """
    words = str(error).replace(hidden, "…")[:MOST_WORDS]
    if isinstance(error, RetryAfter):
        wait = _seconds(error.retry_after)
        return ChannelFailed(Trouble.TOO_MANY_CALLS, words, retry_after_seconds=wait)
    if isinstance(error, Forbidden):
        return ChannelFailed(Trouble.BLOCKED, words)
    if isinstance(error, InvalidToken):
        # Whoever runs this can mend it, and what waits is sent then.
        return ChannelFailed(Trouble.UNREACHABLE, "the token is not accepted")
    if isinstance(error, BadRequest):
        return ChannelFailed(_trouble(words, Trouble.REFUSED), words)
    if isinstance(error, NetworkError):
        return _network_failure(error, words)
    # It answered well, and the answer cannot be read; or it is something about groups.
    return ChannelFailed(Trouble.UNREACHABLE, words, may_have_happened=True)


def says(failed: ChannelFailed, words: str) -> bool:
    """Tell whether these words are in what Telegram said."""
    return words in str(failed).lower()


def _network_failure(error: NetworkError, words: str) -> ChannelFailed:
    cause = error.__cause__
    if cause is None or isinstance(cause, TelegramError):
        # An answer of a status that the library has no error for, such as 500 or 413.
        trouble = _trouble(words, Trouble.UNREACHABLE)
        is_unclear = trouble is Trouble.UNREACHABLE
        return ChannelFailed(trouble, words, may_have_happened=is_unclear)
    # Its own words may have an address in them.
    name = type(cause).__name__
    return ChannelFailed(Trouble.UNREACHABLE, name, may_have_happened=name not in NOT_SENT)


def _trouble(words: str, otherwise: Trouble) -> Trouble:
    lower = words.lower()
    return next((trouble for part, trouble in SENTENCES if part in lower), otherwise)


def _seconds(period: int | timedelta) -> float:
    return period.total_seconds() if isinstance(period, timedelta) else float(period)
