"""Every table, imported once so that the metadata is whole (for migrations and tests)."""

from models.base import Base
from models.schema import (
    alerts,
    audits,
    chat,
    email_tokens,
    emails,
    erasures,
    free_credit,
    freezes,
    identities,
    jobs,
    ledger,
    model_calls,
    payments,
    reset_requests,
    sessions,
    sign_ups,
    snapshots,
    standing_charges,
    transcriptions,
    uploads,
    users,
    workers,
)

TABLES = (
    alerts,
    audits,
    chat,
    email_tokens,
    emails,
    erasures,
    free_credit,
    freezes,
    identities,
    jobs,
    ledger,
    model_calls,
    payments,
    reset_requests,
    sessions,
    sign_ups,
    snapshots,
    standing_charges,
    transcriptions,
    uploads,
    users,
    workers,
)

metadata = Base.metadata
