"""Know who is an admin."""

import sqlalchemy as sa
from alembic import op

revision = "e7b1a94c2d50"
down_revision = "d52b8e1f6c07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "users", sa.Column("is_admin", sa.Boolean(), server_default="false", nullable=False)
    )


def downgrade() -> None:
    op.drop_column("users", "is_admin")
