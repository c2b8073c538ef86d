"""Messages whose users asked for research."""

from uuid import UUID

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created


class ResearchRequest(Base):
    """That a message is to be answered by research, however often it is asked again."""

    __tablename__ = "research_requests"

    message_id: Mapped[UUID] = mapped_column(
        ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True
    )
    created_at: Mapped[Created]
