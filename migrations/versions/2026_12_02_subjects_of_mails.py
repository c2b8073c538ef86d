"""Empty the subjects of mails that are over: they have words of users."""

from alembic import op

revision = "a3d95b70c1f8"
down_revision = "f4a7c21d9e05"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute(
        "UPDATE emails SET subject = '' WHERE status <> 'queued'"
        " AND kind IN ('reminder', 'task_result')"
    )


def downgrade() -> None:
    """What was emptied stays so."""
