"""What goes into a turn of the assistant, what comes out, and how it can fail."""

import enum
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message: image/*, text/* or application/pdf."""

    name: str
    media_type: str
    data: bytes

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")


@dataclass(frozen=True)
class Profile:
    """What the person said about themselves when they signed up."""

    name: str
    timezone: str
    needs: str


@dataclass(frozen=True)
class Exchange:
    """A question and its answer that a conversation does not know of; `at` is aware UTC."""

    conversation_id: UUID
    conversation_title: str
    asked: str
    answered: str
    at: datetime


@dataclass(frozen=True)
class Reminded:
    """What the service said in a conversation without the assistant; `at` is aware UTC."""

    words: str
    at: datetime


@dataclass(frozen=True)
class Note:
    """One thing that is noted of the person, with the number that they call it by."""

    number: int
    words: str
    noted_on: date


@dataclass(frozen=True)
class SavedPack:
    """One object in storage that holds pages of a person's files."""

    key: str
    sha256: str
    size_bytes: int


@dataclass(frozen=True)
class SavedState:
    """One saved version of a person's files, as `state_snapshots` records it.

    `packs` make it up, oldest first; `size_bytes` is what the files take when they are restored.
    """

    version: int
    packs: tuple[SavedPack, ...]
    size_bytes: int


@dataclass(frozen=True)
class Forgotten:
    """What a person's files are to have no word of any more: conversations, with their jobs.

    `paths` are files of the workspace that were deleted, by their places in it.
    Of `notes` they are to have these and no others, newest first; None leaves those as they are.
    """

    conversations: tuple[UUID, ...]
    jobs: tuple[UUID, ...]
    paths: tuple[str, ...] = ()
    notes: tuple[Note, ...] | None = None


@dataclass(frozen=True)
class FileToPlace:
    """A file that the person brought from elsewhere, by its path in the workspace."""

    path: str
    data: bytes


@dataclass(frozen=True)
class Turn:
    """One message to answer, with all that the assistant should know.

    `model` is an id of agent.catalogue. `recent` is what the message tells beside its words, oldest
    first, and `reminded` what was said since the message before. `states` and `notes` are newest
    first; without states the person is new. With `is_research` a report is wanted, and paid
    for.
    """

    job_id: UUID
    attempt: int
    user_id: UUID
    conversation_id: UUID
    text: str
    attachments: tuple[Attachment, ...]
    model: str
    profile: Profile
    recent: tuple[Exchange, ...]
    states: tuple[SavedState, ...]
    reminded: tuple[Reminded, ...] = ()
    # What goes into the workspace before, where nothing of its name stands.
    imported: tuple[FileToPlace, ...] = ()
    # The person wants this message thought about for longer than is usual.
    thinks_longer: bool = False
    notes: tuple[Note, ...] = ()
    is_research: bool = False


@dataclass(frozen=True)
class Answer:
    """What the assistant said, and the version of the files that it started from (0: none)."""

    text: str
    state_version: int


class TurnFailure(enum.StrEnum):
    """Why a turn brought no whole answer. `FailureCode` has each of them too."""

    # What the user let it cost, or has left; and a freeze of their account.
    NO_CREDIT = "no_credit"
    FROZEN = "frozen"
    MESSAGE_LIMIT = "message_limit"
    DAY_LIMIT = "day_limit"
    MONTH_LIMIT = "month_limit"
    # What we carry for a user in a day.
    ABSORBED_LIMIT = "absorbed_limit"
    # What any message may cost, and how many calls it may make.
    TOO_COSTLY = "too_costly"
    TOO_MANY_CALLS = "too_many_calls"
    # A provider counted more than was held.
    BEYOND_HOLD = "beyond_hold"
    BOOKS_UNAVAILABLE = "books_unavailable"
    PROVIDER_DOWN = "provider_down"
    PROVIDER_REFUSED = "provider_refused"
    MODEL_WITHDRAWN = "model_withdrawn"
    MODEL_UNPRICED = "model_unpriced"
    CONVERSATION_TOO_LARGE = "conversation_too_large"
    CONTENT_NOT_SENT = "content_not_sent"
    TIME_LIMIT = "time_limit"
    CELL_DIED = "cell_died"
    NO_ANSWER = "no_answer"
    # For the second time.
    STUCK = "stuck"
    OUT_OF_MEMORY = "out_of_memory"
    TOO_MANY_FILES = "too_many_files"
    DISK_FULL = "disk_full"
    ENGINE_UNAVAILABLE = "engine_unavailable"
    # No cell came free; or the user's own is at something else.
    BUSY = "busy"
    STILL_BUSY = "still_busy"
    # The user's files cannot be reached, have no undamaged version, are too large to save, or were
    # not all there to be saved.
    STATE_UNAVAILABLE = "state_unavailable"
    STATE_DAMAGED = "state_damaged"
    STATE_TOO_LARGE = "state_too_large"
    STATE_NOT_SAVED = "state_not_saved"
    # Files that came with the message cannot be reached.
    STORAGE_DOWN = "storage_down"
    # The user pressed Stop, or the worker shuts down.
    STOPPED = "stopped"
    # Another worker has the job by now.
    LEASE_LOST = "lease_lost"
    UNEXPECTED = "unexpected"


class AgentFailed(Exception):
    """A turn brought no whole answer. A permanent failure would only repeat itself."""

    def __init__(self, code: TurnFailure, *, permanent: bool) -> None:
        super().__init__(str(code))
        self.code = code
        self.permanent = permanent


class Watcher(Protocol):
    """Is told how a turn goes on, from the runtime's event loop; it must not hold that up."""

    def tool(self, name: str) -> None:
        """The assistant uses a tool."""
        ...

    def thought(self, words: str) -> None:
        """The model thinks of this, in a line; it is no part of the answer."""
        ...

    def text(self, delta: str) -> None:
        """The answer goes on with `delta`."""
        ...
