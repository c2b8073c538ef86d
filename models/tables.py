"""Every table, imported once so that the metadata is whole (for migrations and tests)."""

from models import (
    conversations,
    jobs,
    ledger,
    payments,
    sessions,
    snapshots,
    uploads,
    users,
    workers,
)
from models.base import Base

TABLES = (conversations, jobs, ledger, payments, sessions, snapshots, uploads, users, workers)

metadata = Base.metadata
