"""Versions of a user's saved files."""

from typing import TypedDict
from uuid import UUID

from sqlalchemy import ForeignKey, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class Pack(TypedDict):
    """One object in storage; versions share those that did not change between them."""

    key: str
    sha256: str
    size_bytes: int


class StateSnapshot(Base):
    __tablename__ = "state_snapshots"
    __table_args__ = (UniqueConstraint("user_id", "version"),)

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    # 1, 2, 3 … for each person: who saves on top of a version that is not the newest is refused.
    version: Mapped[int]
    # What makes it up, oldest first: the manifest.
    packs: Mapped[list[Pack]] = mapped_column(JSONB)
    # Of all files when they are restored.
    size_bytes: Mapped[int]
    # The last job whose turn is in it.
    job_id: Mapped[UUID] = mapped_column(ForeignKey("jobs.id", ondelete="CASCADE"))
    created_at: Mapped[Created]
