"""Every table, imported once so that the metadata is whole (for migrations and tests)."""

from models import (
    alerts,
    conversations,
    jobs,
    ledger,
    sessions,
    snapshots,
    staging,
    uploads,
    users,
    workers,
)
from models.base import Base

TABLES = (
    alerts,
    conversations,
    jobs,
    ledger,
    sessions,
    snapshots,
    staging,
    uploads,
    users,
    workers,
)

metadata = Base.metadata
