"""Customers at Stripe whose accounts were erased here, and who are to be deleted there too."""

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created


class CustomerDeletion(Base):
    """One that is yet to be deleted; written with the erasure, and gone once Stripe has done it."""

    __tablename__ = "customer_deletions"

    customer_id: Mapped[str] = mapped_column(primary_key=True)
    # How often Stripe was asked, and from when on it is asked again.
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[datetime] = mapped_column(server_default=text("now()"), index=True)
    created_at: Mapped[Created]
