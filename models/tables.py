"""Every table, imported once so that the metadata is whole (for migrations and tests)."""

from models import (
    conversations,
    free_credit,
    jobs,
    ledger,
    mailed_links,
    outbox,
    resetting,
    sessions,
    snapshots,
    uploads,
    users,
    workers,
)
from models.base import Base

TABLES = (
    *(conversations, free_credit, jobs, ledger, mailed_links, outbox, resetting),
    *(sessions, snapshots, uploads, users, workers),
)

metadata = Base.metadata
