"""Keep the files of a message whose person is still asked whether it may cost so much."""

import sqlalchemy as sa
from alembic import op

revision = "c7e5082b4f16"
down_revision = "2f9a70c3d815"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staged_uploads",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_staged_uploads_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staged_uploads")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_staged_uploads_storage_key")),
    )
    op.create_index(op.f("ix_staged_uploads_user_id"), "staged_uploads", ["user_id"])
    op.create_index(op.f("ix_staged_uploads_created_at"), "staged_uploads", ["created_at"])


def downgrade() -> None:
    op.drop_table("staged_uploads")
