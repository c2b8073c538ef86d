"""What goes into a turn of the assistant, what comes out, and how it can fail."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True)
class Attachment:
    """A file that came with a message: image/*, text/* or application/pdf."""

    name: str
    media_type: str
    data: bytes


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
    """What a person's files are to have no word of any more: conversations, with their jobs."""

    conversations: tuple[UUID, ...]
    jobs: tuple[UUID, ...]


@dataclass(frozen=True)
class Turn:
    """One message to answer, with all that the assistant should know.

    `model` is an id of agent.catalogue. `recent` is what the message tells beside its words, oldest
    first. `states` is newest first; with none of them the person is new.
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


@dataclass(frozen=True)
class Answer:
    """What the assistant said, and the version of the files that it started from (0: none)."""

    text: str
    state_version: int


class AgentFailed(Exception):
    """A turn brought no whole answer. `str()` is a sentence for the person, that leaves money out.

    `code` is one of: no_credit, frozen, message_limit, day_limit, month_limit, absorbed_limit (what
    we carry in a day), too_costly (what any message may cost), too_many_calls, beyond_hold (a
    provider counted more than was held), provider_refused, provider_down, books_unavailable,
    time_limit, cell_died, no_answer, stuck (for the second time), out_of_memory, too_many_files,
    disk_full, engine_unavailable, stopped, lease_lost (another worker has the job), busy,
    state_unavailable, storage_down, unexpected. A permanent failure would only repeat itself.
    """

    def __init__(self, code: str, sentence: str, *, permanent: bool) -> None:
        super().__init__(sentence)
        self.code = code
        self.permanent = permanent


class Watcher(Protocol):
    """Is told how a turn goes on, from the runtime's event loop; it must not hold that up."""

    def tool(self, name: str) -> None:
        """The assistant uses a tool."""
        ...

    def text(self, delta: str) -> None:
        """The answer goes on with `delta`."""
        ...
