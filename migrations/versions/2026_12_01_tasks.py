"""Know tasks: jobs that nobody waits for, what they may cost in a day, and what came of them."""

import sqlalchemy as sa
from alembic import op

revision = "c1f04a7d92e6"
down_revision = "5c2e8d1f0b63"
branch_labels = None
depends_on = None

ORIGINS = "origin IN ('user', 'task')"
KINDS = "kind IN ('reminder', 'task')"
OUTCOMES = "outcome IN ('told', 'running', 'nothing', 'failed', 'stopped', 'refused')"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("users", sa.Column("task_day_limit_micros", sa.BigInteger(), nullable=True))
    op.add_column(
        "messages",
        sa.Column("is_hidden", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    _know_origins()
    op.add_column(
        "reminders", sa.Column("tell_only_if", sa.Text(), server_default="", nullable=False)
    )
    op.drop_constraint(op.f("ck_reminders_reminderkind"), "reminders", type_="check")
    op.create_check_constraint(op.f("ck_reminders_reminderkind"), "reminders", KINDS)
    _know_outcomes()


def downgrade() -> None:
    op.execute("DELETE FROM reminders WHERE kind = 'task'")
    op.drop_index("ix_reminder_firings_job_id", "reminder_firings")
    op.drop_index("ix_reminder_firings_running", "reminder_firings")
    for column in ("silent_attempt", "job_id", "refusal", "outcome"):
        op.drop_column("reminder_firings", column)
    op.drop_constraint(op.f("ck_reminders_reminderkind"), "reminders", type_="check")
    op.create_check_constraint(
        op.f("ck_reminders_reminderkind"), "reminders", "kind IN ('reminder')"
    )
    op.drop_column("reminders", "tell_only_if")
    op.drop_index("ix_jobs_tasks", "jobs")
    op.drop_index("ix_jobs_claimable", "jobs")
    _index_claimable("ready_at", "id")
    op.drop_column("jobs", "priority")
    op.drop_column("jobs", "origin")
    op.drop_column("messages", "is_hidden")
    op.drop_column("users", "task_day_limit_micros")


def _know_origins() -> None:
    op.add_column("jobs", sa.Column("origin", sa.String(32), server_default="user", nullable=False))
    op.add_column(
        "jobs", sa.Column("priority", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_jobs_joborigin"), "jobs", ORIGINS, postgresql_not_valid=True
    )
    op.execute("ALTER TABLE jobs VALIDATE CONSTRAINT ck_jobs_joborigin")
    # The old one would be read in the wrong order; both are as small as what waits.
    op.drop_index("ix_jobs_claimable", "jobs")
    _index_claimable("priority", "ready_at", "id")
    op.create_index(
        "ix_jobs_tasks", "jobs", ["user_id", "id"], postgresql_where=sa.text("origin = 'task'")
    )


def _index_claimable(*columns: str) -> None:
    op.create_index(
        "ix_jobs_claimable",
        "jobs",
        list(columns),
        postgresql_where=sa.text("status = 'pending' AND is_head"),
    )


def _know_outcomes() -> None:
    op.add_column(
        "reminder_firings",
        sa.Column("outcome", sa.String(32), server_default="told", nullable=False),
    )
    op.add_column("reminder_firings", sa.Column("refusal", sa.Text(), nullable=True))
    op.add_column("reminder_firings", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.add_column("reminder_firings", sa.Column("silent_attempt", sa.BigInteger(), nullable=True))
    op.create_foreign_key(
        op.f("fk_reminder_firings_job_id"),
        "reminder_firings",
        "jobs",
        ["job_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_check_constraint(
        op.f("ck_reminder_firings_firingoutcome"), "reminder_firings", OUTCOMES
    )
    op.create_check_constraint(
        op.f("ck_reminder_firings_refused_has_refusal"),
        "reminder_firings",
        "(outcome = 'refused') = (refusal IS NOT NULL)",
    )
    op.create_index(
        "ix_reminder_firings_running",
        "reminder_firings",
        ["id"],
        postgresql_where=sa.text("outcome = 'running'"),
    )
    op.create_index("ix_reminder_firings_job_id", "reminder_firings", ["job_id"])
