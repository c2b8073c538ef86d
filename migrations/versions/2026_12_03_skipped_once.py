"""Note by which job a reminder's time was left out, so that its next attempt leaves out no more."""

import sqlalchemy as sa
from alembic import op

revision = "a3f60d92b7e1"
down_revision = "e4d15b80c3a7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("reminders", sa.Column("skipped_job_id", sa.Uuid(), nullable=True))
    op.add_column("reminders", sa.Column("skipped_attempt", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("reminders", "skipped_attempt")
    op.drop_column("reminders", "skipped_job_id")
