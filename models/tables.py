"""Every table, imported once so that the metadata is whole (for migrations and tests)."""

from models import (
    alerts,
    conversations,
    erasures,
    free_credit,
    freezes,
    identities,
    jobs,
    ledger,
    mailed_links,
    outbox,
    payments,
    resetting,
    sessions,
    sign_ups,
    snapshots,
    staging,
    uploads,
    users,
    workers,
)
from models.base import Base

TABLES = (
    *(alerts, conversations, erasures, free_credit, freezes, identities, jobs, ledger),
    *(mailed_links, outbox, payments, resetting, sessions, sign_ups, snapshots, staging, uploads),
    *(users, workers),
)

metadata = Base.metadata
