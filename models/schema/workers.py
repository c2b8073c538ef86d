"""Workers, as they report themselves."""

from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, PrimaryKey


class Worker(Base):
    __tablename__ = "workers"

    id: Mapped[PrimaryKey]
    host: Mapped[str]
    # What was deployed when it started, as the settings name it.
    version: Mapped[str] = mapped_column(default="", server_default="")
    # "bwrap" or "uid": how well cells are kept apart.
    sandbox: Mapped[str] = mapped_column(default="", server_default="")
    capacity: Mapped[int] = mapped_column(default=0, server_default="0")
    spare: Mapped[int] = mapped_column(default=0, server_default="0")
    hot: Mapped[int] = mapped_column(default=0, server_default="0")
    busy: Mapped[int] = mapped_column(default=0, server_default="0")
    # What its cells have of the memory, and what programs could still take there; 0 before it said.
    memory_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    memory_free_bytes: Mapped[int] = mapped_column(default=0, server_default="0")
    # Cells that it booted since it started, those that did not come up, and how long the last took.
    boots: Mapped[int] = mapped_column(default=0, server_default="0")
    boot_failures: Mapped[int] = mapped_column(default=0, server_default="0")
    boot_ms: Mapped[int | None]
    started_at: Mapped[Created]
    seen_at: Mapped[Created]
    # From then on it takes nothing more, and saves what it has; others may ask it to.
    draining_at: Mapped[datetime | None]
    # From then on nothing runs in it, and it lets itself be stopped.
    released_at: Mapped[datetime | None]
    # When an admin wanted it to; it hears of that with its next report.
    drain_asked_at: Mapped[datetime | None]
    stopped_at: Mapped[datetime | None]
