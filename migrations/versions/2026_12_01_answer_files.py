"""Keep what the assistant hands over, and which deleted files are to leave saved states."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "c7d2f1a84e36"
down_revision = "c5e81f20a7d4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "answer_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), server_default="", nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        sa.Column("thumbnail_key", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_answer_files_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_answer_files_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_answer_files_job_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_files")),
        sa.UniqueConstraint("job_id", "path", name=op.f("uq_answer_files_job_id_path")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_answer_files_storage_key")),
    )
    op.create_index(op.f("ix_answer_files_user_id"), "answer_files", ["user_id"])
    op.create_index(op.f("ix_answer_files_conversation_id"), "answer_files", ["conversation_id"])
    op.alter_column("erasures", "conversation_id", nullable=True)
    op.add_column("erasures", sa.Column("paths", JSONB(), server_default="[]", nullable=False))


def downgrade() -> None:
    op.drop_column("erasures", "paths")
    op.execute("DELETE FROM erasures WHERE conversation_id IS NULL")
    op.alter_column("erasures", "conversation_id", nullable=False)
    op.drop_table("answer_files")
