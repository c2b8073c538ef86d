"""Let messages wait for credits."""

import sqlalchemy as sa
from alembic import op

revision = "b64e2a7c1d38"
down_revision = "7d1f0c3a9b52"
branch_labels = None
depends_on = None

STATES = "'pending', 'running', 'completed', 'failed', 'cancelled'"
ANSWERING = "'pending', 'running', 'completed'"
NEW_STATES = f"{STATES}, 'paused'"
NEW_ANSWERING = "'pending', 'paused', 'running', 'completed'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _set(NEW_STATES, NEW_ANSWERING)
    op.create_index(
        "ix_jobs_paused", "jobs", ["user_id", "id"], postgresql_where=sa.text("status = 'paused'")
    )


def _set(states: str, answering: str) -> None:
    op.drop_constraint(op.f("ck_jobs_jobstatus"), "jobs", type_="check")
    op.create_check_constraint(op.f("ck_jobs_jobstatus"), "jobs", f"status IN ({states})")
    op.drop_index("uq_jobs_message_id", table_name="jobs")
    op.create_index(
        "uq_jobs_message_id",
        "jobs",
        ["message_id"],
        unique=True,
        postgresql_where=sa.text(f"status IN ({answering})"),
    )


def downgrade() -> None:
    op.execute(
        "UPDATE jobs SET status = 'failed', finished_at = now(), failure_code = 'no_credit',"
        " failure = 'Your credits were used up.' WHERE status = 'paused'"
    )
    op.drop_index("ix_jobs_paused", table_name="jobs")
    _set(STATES, ANSWERING)
