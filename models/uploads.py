"""Files that people send with a message."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ForeignKey, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, Created, PrimaryKey
from models.errors import NotFound, Refused


class Upload(Base):
    __tablename__ = "uploads"

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    conversation_id: Mapped[UUID] = mapped_column(
        ForeignKey("conversations.id", ondelete="CASCADE"), index=True
    )
    message_id: Mapped[UUID] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), index=True
    )
    name: Mapped[str]
    media_type: Mapped[str]
    size_bytes: Mapped[int]
    storage_key: Mapped[str] = mapped_column(unique=True)
    created_at: Mapped[Created]

    @property
    def is_image(self) -> bool:
        return self.media_type.startswith("image/")


@dataclass(frozen=True)
class SentFile:
    """A file that is in storage already and goes with a message."""

    name: str
    media_type: str
    size_bytes: int
    storage_key: str


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


def find_own(db: Session, user_id: UUID, upload_id: UUID) -> Upload:
    """Find a file that this person sent, or raise NotFound."""
    upload = db.scalar(select(Upload).where(Upload.id == upload_id, Upload.user_id == user_id))
    if upload is None:
        raise NotFound
    return upload
