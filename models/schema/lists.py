"""What stands on users' lists, such as what to buy."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class ListItem(Base):
    """One thing on a list, which is there while something stands on it."""

    __tablename__ = "list_items"
    __table_args__ = (
        Index("ix_list_items_user_id_list_name", "user_id", "list_name", "id"),
        # What is put there twice stands there once.
        Index(
            "uq_list_items_open",
            "user_id",
            "list_name",
            "words",
            unique=True,
            postgresql_where=text("done_at IS NULL"),
        ),
    )

    id: Mapped[PrimaryKey]
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    list_name: Mapped[str]
    words: Mapped[str]
    done_at: Mapped[datetime | None]
    created_at: Mapped[Created]
