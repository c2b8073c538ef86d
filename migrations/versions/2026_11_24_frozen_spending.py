"""Note on an account that its spending is frozen, and why."""

import sqlalchemy as sa
from alembic import op

revision = "8c41f6d2ab07"
down_revision = "5b0d1c7e92a4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "users", sa.Column("spending_frozen_at", sa.DateTime(timezone=True), nullable=True)
    )
    op.add_column("users", sa.Column("spending_frozen_reason", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("users", "spending_frozen_reason")
    op.drop_column("users", "spending_frozen_at")
