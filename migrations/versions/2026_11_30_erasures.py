"""Keep which deleted conversations are still in the files that a person's assistant has."""

import sqlalchemy as sa
from alembic import op

revision = "5b0d94e7a1c3"
down_revision = "5b8e02d47a16"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "erasures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_erasures_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_erasures_conversation_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasures")),
        sa.UniqueConstraint("conversation_id", name=op.f("uq_erasures_conversation_id")),
    )
    op.create_index(op.f("ix_erasures_user_id"), "erasures", ["user_id"])
    # Those that were deleted before this was kept, of people who have saved files.
    op.execute("""
        INSERT INTO erasures (id, user_id, conversation_id)
        SELECT gen_random_uuid(), user_id, id FROM conversations
        WHERE deleted_at IS NOT NULL
          AND EXISTS (SELECT FROM state_snapshots WHERE user_id = conversations.user_id)
    """)


def downgrade() -> None:
    op.drop_table("erasures")
