"""The contract between the product and a messenger.

A channel's methods are called from threads and block until the messenger has answered.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from channels.inbound import Update
from channels.outbound import Button, FetchedFile, OutgoingFile, Part


class Trouble(enum.StrEnum):
    """Why a messenger did not do what it was asked."""

    # It does not answer, or not as it should: try again.
    UNREACHABLE = "unreachable"
    # It wants fewer calls: try again after `retry_after_seconds`.
    TOO_MANY_CALLS = "too_many_calls"
    # The user has blocked us, deleted their account or the chat: never again, until they come back.
    BLOCKED = "blocked"
    # It does not take this formatting: send the part without it.
    BAD_FORMATTING = "bad_formatting"
    # The message that was to be changed has gone, or is too old: send a new one.
    MESSAGE_GONE = "message_gone"
    # The file is larger than the messenger hands over.
    FILE_TOO_LARGE = "file_too_large"
    # Anything else that it will refuse again.
    REFUSED = "refused"


class ChannelFailed(Exception):
    """A messenger did not do what it was asked.

    `may_have_happened` is True where it may have done so all the same: it had been asked, and how
    it answered is not known.
    """

    def __init__(
        self,
        trouble: Trouble,
        words: str = "",
        *,
        retry_after_seconds: float | None = None,
        may_have_happened: bool = False,
    ) -> None:
        super().__init__(f"{trouble}: {words}" if words else str(trouble))
        self.trouble = trouble
        self.retry_after_seconds = retry_after_seconds
        self.may_have_happened = may_have_happened

    @property
    def is_permanent(self) -> bool:
        return self.trouble not in {Trouble.UNREACHABLE, Trouble.TOO_MANY_CALLS}


class Malformed(Exception):
    """What came in is nothing that this messenger sends."""


@dataclass(frozen=True)
class Capabilities:
    """What a messenger can do. Only this, never its name, decides how the product uses it."""

    # The longest text of one message, in UTF-16 units.
    text_limit: int
    # Whether a message can be changed after it was sent, so that an answer grows in it.
    can_edit: bool
    # The shortest time between two changes in one chat, in seconds.
    edit_interval_seconds: float
    has_buttons: bool
    has_typing: bool
    # The largest file that it hands over to us, and takes from us, in bytes.
    inbound_file_limit_bytes: int
    outbound_file_limit_bytes: int
    # Whether updates are numbered without gaps, so that their order can be restored.
    numbers_updates: bool


class Channel(Protocol):
    """A messenger. Whatever talks to it raises ChannelFailed."""

    # How it is called in the database, in paths and in settings: lower case.
    name: str
    # How people call it.
    label: str
    capabilities: Capabilities
    # Of what `link_url` returns, known without asking anybody: pages of ours may lead there.
    link_origin: str

    def is_authentic(self, headers: Mapping[str, str]) -> bool:
        """Tell whether a call of our webhook comes from the messenger."""
        ...

    def parse(self, body: bytes) -> list[Update]:
        """Read what a webhook's call brings; an empty list for what is of no concern to us.

        Raises Malformed.
        """
        ...

    def link_url(self, code: str) -> str:
        """Return the address that opens the chat with us and hands `code` in as a /start."""
        ...

    def render(self, markdown: str) -> list[Part]:
        """Turn an answer into messages, in order; each fits the limit. Never empty."""
        ...

    def preview(self, markdown: str) -> Part:
        """Turn the end of an unfinished answer into one message."""
        ...

    def send(self, address: str, part: Part, *, rows: Sequence[Sequence[Button]] = ()) -> str:
        """Send a message, with rows of buttons; return its id within the chat."""
        ...

    def edit(
        self, address: str, message_id: str, part: Part, *, rows: Sequence[Sequence[Button]] = ()
    ) -> None:
        """Change a message and its buttons; one that says so already is left as it is."""
        ...

    def delete(self, address: str, message_id: str) -> None:
        """Take a message of ours back; one that has gone already is no failure."""
        ...

    def send_file(self, address: str, file: OutgoingFile, caption: str = "") -> str:
        """Send a picture as such, anything else as a document; return the message's id."""
        ...

    def typing(self, address: str) -> None:
        """Show for some seconds that somebody writes."""
        ...

    def acknowledge(self, press_id: str, words: str = "") -> None:
        """Tell the messenger that a press was seen; one that is too old is no failure."""
        ...

    def leave(self, address: str) -> None:
        """Leave a group."""
        ...

    def fetch(self, file_id: str) -> FetchedFile:
        """Fetch what a user sent; `inbound_file_limit_bytes` at most."""
        ...
