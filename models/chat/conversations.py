"""Conversations and what was said in them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    DateTime,
    Integer,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import Session, object_session

from models.base import utc_now
from models.errors import NotFound, Refused
from models.notifications import withdrawal
from models.schema.answer_files import AnswerFile
from models.schema.chat import Conversation, Message, Role
from models.schema.uploads import Upload

TITLE_MAX_LENGTH = 80
# Exchanges on a page of a conversation, and conversations on a page of their list.
PAGE_LENGTH = 50
LIST_LENGTH = 50
# So many messages are counted when it is asked how long a conversation is: what came before has
# been summarized, or was short.
LATEST = 200


# Every page asks these; putting them together anew took as long as asking.
_OWN = select(Conversation).where(
    Conversation.user_id == bindparam("owner"), Conversation.deleted_at.is_(None)
)
_FIND_OWN = _OWN.where(Conversation.id == bindparam("wanted"))
_LIST_OWN = _OWN.order_by(Conversation.updated_at.desc(), Conversation.id.desc()).limit(
    bindparam("limit", type_=Integer())
)
_LIST_OLDER = _LIST_OWN.where(
    tuple_(Conversation.updated_at, Conversation.id)
    < tuple_(bindparam("used_at", type_=DateTime(timezone=True)), bindparam("last", type_=Uuid()))
)


class BadTitle(Refused):
    """A conversation's name is empty or too long."""

    code = "bad_title"


def start(db: Session, user_id: UUID) -> Conversation:
    """Open a new, empty conversation."""
    conversation = Conversation(user_id=user_id)
    db.add(conversation)
    db.flush()
    return conversation


@dataclass(frozen=True)
class ListPosition:
    """A place in somebody's list of conversations: behind the one that was used then."""

    used_at: datetime
    conversation_id: UUID


def list_own(
    db: Session,
    user_id: UUID,
    limit: int = LIST_LENGTH,
    *,
    named: str = "",
    behind: ListPosition | None = None,
) -> list[Conversation]:
    """List a person's conversations, the latest used first, at most `limit` of them.

    With `named` only those in whose name these words stand, in any case; with `behind` only those
    that come after that place.
    """
    wanted, given = _LIST_OWN, {"owner": user_id, "limit": limit}
    if behind is not None:
        wanted = _LIST_OLDER
        given |= {"used_at": behind.used_at, "last": behind.conversation_id}
    if named:
        wanted = wanted.where(Conversation.title.icontains(named, autoescape=True))
    return list(db.scalars(wanted, given))


def find_own(db: Session, user_id: UUID, conversation_id: UUID) -> Conversation:
    """Find one of this person's conversations, or raise NotFound."""
    conversation = find_or_none(db, user_id, conversation_id)
    if conversation is None:
        raise NotFound
    return conversation


def find_or_none(db: Session, user_id: UUID, conversation_id: UUID) -> Conversation | None:
    """Find one of this person's conversations; None if there is none, or not any more."""
    return db.scalar(_FIND_OWN, {"owner": user_id, "wanted": conversation_id})


def titles(db: Session, user_id: UUID, ids: Collection[UUID]) -> Mapping[UUID, str]:
    """Return the names of those of a person's conversations that there still are."""
    named = select(Conversation.id, Conversation.title).where(
        Conversation.user_id == user_id, Conversation.deleted_at.is_(None), Conversation.id.in_(ids)
    )
    return {found.id: found.title for found in db.execute(named)} if ids else {}


def remember(conversation: Conversation, *, is_remembered: bool) -> None:
    """Let what is said in a conversation be noted and told in others, or not."""
    conversation.is_remembered = is_remembered


def text_bytes(db: Session, conversation_id: UUID) -> int:
    """Return how much was said lately in a conversation, in bytes of text."""
    latest = (
        select(func.octet_length(Message.text).label("size"))
        .where(Message.conversation_id == conversation_id)
        .order_by(Message.id.desc())
        .limit(LATEST)
        .subquery()
    )
    return int(db.scalar(select(func.coalesce(func.sum(latest.c.size), 0))) or 0)


def words_of_user(db: Session, conversation_id: UUID) -> list[str]:
    """List what its user wrote lately in a conversation, the latest first."""
    said = select(Message.text).where(
        Message.conversation_id == conversation_id, Message.role == Role.USER
    )
    return list(db.scalars(said.order_by(Message.id.desc()).limit(LATEST)))


def rename(conversation: Conversation, title: str) -> None:
    """Give it another name; refuse an empty or overlong one.

    Raises NotFound when it was deleted meanwhile: no word of it is kept.
    """
    clean = " ".join(title.split())
    if not 0 < len(clean) <= TITLE_MAX_LENGTH:
        raise BadTitle
    db = object_session(conversation)
    still_there = (Conversation.id == conversation.id, Conversation.deleted_at.is_(None))
    renamed = update(Conversation).where(*still_there).values(title=clean)
    if db is None or db.scalar(renamed.returning(Conversation.id)) is None:
        raise NotFound


def erase(db: Session, conversation: Conversation) -> list[str]:
    """Delete what was said and sent; return the storage keys of its files, to be deleted too.

    Its unfinished jobs must have been cancelled before.
    """
    # A reminder that is being said in it comes before, and goes with the rest.
    db.refresh(conversation, with_for_update={"key_share": True})
    keys = list(
        db.scalars(select(Upload.storage_key).where(Upload.conversation_id == conversation.id))
    )
    handed_over = delete(AnswerFile).where(AnswerFile.conversation_id == conversation.id)
    for file in db.scalars(handed_over.returning(AnswerFile)):
        keys += [key for key in (file.storage_key, file.thumbnail_key) if key]
    db.execute(delete(Upload).where(Upload.conversation_id == conversation.id))
    said = Message.conversation_id == conversation.id
    withdrawal.withdraw(db, conversation.user_id, said)
    db.execute(delete(Message).where(said))
    conversation.title = ""
    conversation.deleted_at = utc_now()
    return keys


def say(
    db: Session,
    conversation: Conversation,
    role: Role,
    words: str,
    *,
    html: str = "",
    job_id: UUID | None = None,
) -> Message:
    """Add a message; the first one names the conversation."""
    message = Message(
        conversation_id=conversation.id,
        user_id=conversation.user_id,
        job_id=job_id,
        role=role,
        text=words,
        html=html,
        uploads=[],
    )
    db.add(message)
    touch(conversation, words if role is Role.USER else "")
    db.flush()
    return message


def touch(conversation: Conversation, words: str) -> None:
    """Note that something was said just now; a person's first `words` name the conversation."""
    if words and not conversation.title:
        conversation.title = title_of(words)
    conversation.updated_at = utc_now()


def title_of(words: str) -> str:
    """Shorten a first message to a name: whole words, at most 60 characters."""
    line = " ".join(words.split())
    if len(line) <= 60:
        return line or "New conversation"
    return line[:60].rsplit(" ", 1)[0].rstrip(",.;:") + "…"
