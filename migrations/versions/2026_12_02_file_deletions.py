"""Note which files are to go from storage, and when."""

import sqlalchemy as sa
from alembic import op

revision = "c81f4e6a02d7"
down_revision = "a3d95b70c1f8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "file_deletions",
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column(
            "due_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("storage_key", name=op.f("pk_file_deletions")),
    )
    op.create_index(op.f("ix_file_deletions_due_at"), "file_deletions", ["due_at"])


def downgrade() -> None:
    op.drop_table("file_deletions")
