"""Note of conversations that a file of theirs was deleted: what was read of it stands in them."""

import sqlalchemy as sa
from alembic import op

revision = "b7c2e4f9a610"
down_revision = "c81f4e6a02d7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "conversations",
        sa.Column("has_lost_files", sa.Boolean(), server_default="false", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("conversations", "has_lost_files")
