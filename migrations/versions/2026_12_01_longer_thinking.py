"""Keep which messages are to be thought about for longer."""

import sqlalchemy as sa
from alembic import op

revision = "7d20c9e4b8f1"
down_revision = "7b06d3f52c9e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "jobs",
        sa.Column("thinks_longer", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("jobs", "thinks_longer")
