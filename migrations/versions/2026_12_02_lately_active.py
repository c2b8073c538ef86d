"""Keep how many were active lately, which the overview asks for every few seconds."""

import sqlalchemy as sa
from alembic import op

revision = "f4a7c21d9e05"
down_revision = "e18c5a7d2b64"
branch_labels = None
depends_on = None

COLUMNS = ("active_week", "active_month")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in COLUMNS:
        op.add_column("day_totals", sa.Column(name, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for name in COLUMNS:
        op.drop_column("day_totals", name)
