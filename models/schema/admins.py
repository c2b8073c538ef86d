"""Admins: what each may do, and the record of what they did."""

import enum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from models.base import Base, Created, Details, PrimaryKey, stored_as_text


class AdminRole(enum.StrEnum):
    # Everything.
    OWNER = "owner"
    # Helps users, and neither sees nor moves money.
    SUPPORT = "support"
    # Reads everything and changes nothing.
    VIEWER = "viewer"


class AdminActionKind(enum.StrEnum):
    """What an admin did."""

    CREDITS_ADJUSTED = "credits_adjusted"
    SENDING_SUSPENDED = "sending_suspended"
    SENDING_RESUMED = "sending_resumed"
    SIGN_IN_SUSPENDED = "sign_in_suspended"
    SIGN_IN_RESUMED = "sign_in_resumed"
    SESSIONS_ENDED = "sessions_ended"
    FREEZE_LIFTED = "freeze_lifted"
    VERIFICATION_RESENT = "verification_resent"
    # Something for the next admin to know; the reason is the note.
    NOTE_ADDED = "note_added"
    JOB_RETRIED = "job_retried"
    JOB_CANCELLED = "job_cancelled"
    SWITCHES_CHANGED = "switches_changed"
    CLAIMING_PAUSED = "claiming_paused"
    CLAIMING_RESUMED = "claiming_resumed"
    INVITATION_MADE = "invitation_made"
    INVITATION_ENDED = "invitation_ended"
    WAITING_INVITED = "waiting_invited"
    RULE_SET = "rule_set"
    RULE_ENDED = "rule_ended"
    JOBS_CANCELLED = "jobs_cancelled"
    JOBS_RETRIED = "jobs_retried"
    # More than one admin may adjust alone: another owner decides.
    ADJUSTMENT_ASKED = "adjustment_asked"
    ADJUSTMENT_APPROVED = "adjustment_approved"
    ADJUSTMENT_REFUSED = "adjustment_refused"
    REFUND_ORDERED = "refund_ordered"
    LIMITS_RESET = "limits_reset"
    CELL_DESTROYED = "cell_destroyed"
    SNAPSHOT_RESTORED = "snapshot_restored"
    DELETION_ORDERED = "deletion_ordered"
    DELETION_UNDONE = "deletion_undone"
    WORKER_DRAINED = "worker_drained"


class AdminAction(Base):
    """An entry of the audit log: who did what to whom, when and why. A trigger refuses changes.

    It names accounts without foreign keys, as it outlives them.
    """

    __tablename__ = "admin_actions"
    __table_args__ = (
        CheckConstraint("reason <> ''", name="has_reason"),
        Index("ix_admin_actions_user_id_id", "user_id", "id"),
        Index("ix_admin_actions_job_id", "job_id"),
        Index("ix_admin_actions_admin_id_id", "admin_id", "id"),
    )

    id: Mapped[PrimaryKey]
    admin_id: Mapped[UUID]
    # Both as they were then.
    admin_email: Mapped[str]
    admin_role: Mapped[AdminRole] = mapped_column(stored_as_text(AdminRole))
    kind: Mapped[AdminActionKind] = mapped_column(stored_as_text(AdminActionKind))
    # Whose account it was about, and which job, if it was about one.
    user_id: Mapped[UUID | None]
    job_id: Mapped[UUID | None]
    reason: Mapped[str]
    # What the action changed.
    before: Mapped[Details]
    after: Mapped[Details]
    # Of the form: one that is sent again does nothing again.
    key: Mapped[UUID] = mapped_column(unique=True)
    created_at: Mapped[Created]
