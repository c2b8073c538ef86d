"""Keep which workers are about to stop."""

import sqlalchemy as sa
from alembic import op

revision = "c41f7be2905d"
down_revision = "a17c5e93d048"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("workers", sa.Column("draining_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "draining_at")
