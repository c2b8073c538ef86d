"""Money: an append-only ledger in micro-dollars, with a cached balance that can never go negative.

Every entry has a reference that is unique, so telling the same thing twice changes nothing. A
person's entries are made in single file under the lock of their `users` row, in the transaction
that causes them. Corrections are new entries; a trigger refuses UPDATE and DELETE.

Credits lie in two buckets, granted and bought: what is spent comes from the granted ones first, and
each entry says how much of it was theirs.

What a running model call may still cost is held on the person's row and in `model_calls`, not in
the ledger: the ledger has what happened, one entry for each call that really did.
"""

from models.ledger.audit import (
    RULES,
    Mismatch,
    audit,
    last_runs,
    note,
    note_run,
    open_findings,
    resolve,
)
from models.ledger.calls import (
    CallNotOpen,
    close_call,
    forget_details,
    lose_call,
    open_call,
    owes_nothing,
)
from models.ledger.clawbacks import (
    clawback,
    expire_grants,
    freeze,
    give_back,
    has_older_grants,
    unfreeze,
)
from models.ledger.entries import (
    CallCost,
    OutOfCredit,
    SpendingFrozen,
    drift,
    grant,
    is_booked,
    lock_account,
    top_up,
)
from models.ledger.incremental_audit import audit_changes
from models.ledger.lost_calls import absorb_abandoned, orphans, owner_of_call
from models.ledger.reversals import (
    GivenBack,
    charged,
    charged_by_call,
    refund_by_hand,
    refund_job,
    standing_micros,
)
from models.schema.audits import AuditFinding, AuditRule, AuditRun, Books
from models.schema.ledger import EntryKind, EntryNote, FreezeReason, Transaction, WriteOffReason
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.standing_charges import StandingCharge

__all__ = [
    "RULES",
    "AuditFinding",
    "AuditRule",
    "AuditRun",
    "Books",
    "CallCost",
    "CallNotOpen",
    "CallStatus",
    "EntryKind",
    "EntryNote",
    "FreezeReason",
    "GivenBack",
    "Mismatch",
    "ModelCall",
    "OutOfCredit",
    "SpendingFrozen",
    "StandingCharge",
    "Transaction",
    "WriteOffReason",
    "absorb_abandoned",
    "audit",
    "audit_changes",
    "charged",
    "charged_by_call",
    "clawback",
    "close_call",
    "drift",
    "expire_grants",
    "forget_details",
    "freeze",
    "give_back",
    "grant",
    "has_older_grants",
    "is_booked",
    "last_runs",
    "lock_account",
    "lose_call",
    "note",
    "note_run",
    "open_call",
    "open_findings",
    "orphans",
    "owes_nothing",
    "owner_of_call",
    "refund_by_hand",
    "refund_job",
    "resolve",
    "standing_micros",
    "top_up",
    "unfreeze",
]
