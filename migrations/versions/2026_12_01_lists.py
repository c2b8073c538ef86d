"""Keep users' lists."""

import sqlalchemy as sa
from alembic import op

revision = "e7a3b95c14d0"
down_revision = "c1f04a7d92e6"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "list_items",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("list_name", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_list_items_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_list_items"),
    )
    op.create_index("ix_list_items_user_id_list_name", "list_items", ["user_id", "list_name", "id"])
    op.create_index(
        "uq_list_items_open",
        "list_items",
        ["user_id", "list_name", "words"],
        unique=True,
        postgresql_where=sa.text("done_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("list_items")
