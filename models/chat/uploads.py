"""Files that people send with a message."""

from uuid import UUID

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from models.errors import NotFound, Refused
from models.schema.chat import Conversation, Message
from models.schema.uploads import Upload


class FileRefused(Refused):
    """A file is none that the assistant can read."""

    code = "file_refused"


class TooManyFiles(FileRefused):
    """A message has more files than `most`."""

    code = "too_many_files"


class EmptyFile(FileRefused):
    """A file has nothing in it."""

    code = "empty_file"


class FileTooLarge(FileRefused):
    """A file has more than `most_mb`."""

    code = "file_too_large"


class UnreadableFile(FileRefused):
    """The assistant could not read a file: see `untrusted.uploads.Fault`."""

    code = "unreadable_file"

    def __init__(self, fault: str, *, name: str) -> None:
        super().__init__(name=name)
        self.fault = fault


def has_any(db: Session, conversation_id: UUID) -> bool:
    """Tell whether what a file says may stand in a conversation, though the file be deleted."""
    sent = exists().where(Upload.conversation_id == conversation_id)
    lost = select(Conversation.has_lost_files).where(Conversation.id == conversation_id)
    return bool(db.scalar(select(sent | lost.scalar_subquery())))


def says_anything(db: Session, message_id: UUID) -> bool:
    """Tell whether a message has words, or a file that is still there."""
    words = db.scalar(select(Message.text).where(Message.id == message_id)) or ""
    has_file = select(exists().where(Upload.message_id == message_id))
    return bool(words.strip() or db.scalar(has_file))


def delete(db: Session, upload: Upload) -> None:
    """Delete the row of a file; what was read of it stays in the words of its conversation."""
    its_talk = update(Conversation).where(Conversation.id == upload.conversation_id)
    db.execute(its_talk.values(has_lost_files=True))
    db.delete(upload)


def find_own(db: Session, user_id: UUID, upload_id: UUID) -> Upload:
    """Find a file that this person sent, or raise NotFound."""
    upload = db.scalar(select(Upload).where(Upload.id == upload_id, Upload.user_id == user_id))
    if upload is None:
        raise NotFound
    return upload
