"""What comes in from a messenger, in no messenger's own words.

It is kept as JSON until it is handled, so everything here can be written down and read back.
"""

import enum
import re
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

MAX_TEXT_LENGTH = 30_000
MAX_FILES = 10

# Neither PostgreSQL nor UTF-8 can hold these; refused, they would be handed in again for ever.
UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")


def _keepable(given: object) -> object:
    return UNKEEPABLE.sub("\ufffd", given) if isinstance(given, str) else given


Words = Annotated[str, BeforeValidator(_keepable)]
ExternalId = Annotated[Words, Field(min_length=1, max_length=64)]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FileKind(enum.StrEnum):
    PHOTO = "photo"
    DOCUMENT = "document"
    # Something that was said: it is heard and becomes text.
    VOICE = "voice"


class InboundFile(_Frozen):
    """A file that the messenger keeps for us until we fetch it."""

    id: Words = Field(max_length=512)
    kind: FileKind
    name: Words = Field(max_length=1024)
    media_type: Words = Field(max_length=255)
    # None when the messenger does not say.
    size_bytes: int | None = Field(default=None, ge=0)
    duration_seconds: int | None = Field(default=None, ge=0)


class Sender(_Frozen):
    """Who writes, and from where; `address` is what `Channel.send` takes."""

    # The account with the messenger, which stays the same for ever.
    account_id: ExternalId
    # The chat. In a private chat it often equals the account.
    address: ExternalId
    # As the messenger shows it; foreign text, never trusted.
    name: Words = Field(default="", max_length=200)
    # IETF language tag, as the messenger says.
    language: Words = Field(default="", max_length=35)


class Unsupported(enum.StrEnum):
    """What a user may send and the assistant cannot take."""

    VIDEO = "video"
    VIDEO_NOTE = "video_note"
    POLL = "poll"
    OTHER = "other"


class MessageArrived(_Frozen):
    """A user wrote something."""

    kind: Literal["message"] = "message"
    sender: Sender
    # The id of the message within its chat.
    message_id: ExternalId
    # When the messenger got it, in whole seconds since 1970.
    written_at: int | None = None
    # As the user wrote it. What it quotes or forwards stands beside it, not in it.
    text: Words = Field(default="", max_length=MAX_TEXT_LENGTH)
    files: tuple[InboundFile, ...] = Field(default=(), max_length=MAX_FILES)
    # Messages of one group arrive one by one and are one message.
    group_id: Words | None = Field(default=None, max_length=64)
    # Where the messenger's app may have cut a long text, which goes on in the next message: what
    # stood between the two. None for a text that is whole.
    cut_at: Words | None = Field(default=None, max_length=1)
    # What the user replies to, as far as the messenger quotes it.
    replies_to_id: Words | None = Field(default=None, max_length=64)
    replies_to_text: Words = Field(default="", max_length=MAX_TEXT_LENGTH)
    # Whose words these are, when the user forwards them; None for their own.
    forwarded_from: Words | None = Field(default=None, max_length=200)
    unsupported: Unsupported | None = None


class MessageEdited(_Frozen):
    """A user changed the words of a message that had arrived before."""

    kind: Literal["edit"] = "edit"
    sender: Sender
    message_id: ExternalId
    text: Words = Field(max_length=MAX_TEXT_LENGTH)


class CommandGiven(_Frozen):
    """A user gave a command, such as /new."""

    kind: Literal["command"] = "command"
    sender: Sender
    message_id: ExternalId
    # Lower case, without the slash.
    name: Words = Field(max_length=32)
    argument: Words = Field(default="", max_length=512)


class ButtonPressed(_Frozen):
    """A user pressed a button under a message of ours."""

    kind: Literal["button"] = "button"
    sender: Sender
    # The message that the button is under.
    message_id: ExternalId
    # What `Button.data` was.
    data: Words = Field(max_length=64)
    # By which `Channel.acknowledge` tells the messenger that the press was seen.
    press_id: Words = Field(max_length=128)


class ReachChanged(_Frozen):
    """A user blocked us, or let us write again."""

    kind: Literal["reach"] = "reach"
    sender: Sender
    is_reachable: bool


class GroupJoined(_Frozen):
    """Somebody brought us into a group, where we do not talk."""

    kind: Literal["group"] = "group"
    address: ExternalId


Inbound = Annotated[
    MessageArrived | MessageEdited | CommandGiven | ButtonPressed | ReachChanged | GroupJoined,
    Field(discriminator="kind"),
]


class Update(_Frozen):
    """One thing that came in; a messenger may hand it in several times under the same id."""

    external_id: ExternalId
    # Where ids are numbers without gaps: its place among all that came in.
    number: int | None = Field(default=None, ge=0, lt=2**63)
    inbound: Inbound
