"""Keep which admin has ended a freeze on the site."""

import sqlalchemy as sa
from alembic import op

revision = "3f6d0c82ab19"
down_revision = "e7b1a94c2d50"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("unfreezings", sa.Column("admin_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_unfreezings_admin_id"),
        "unfreezings",
        "users",
        ["admin_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_unfreezings_admin_id"), "unfreezings", ["admin_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_unfreezings_admin_id"), "unfreezings")
    op.drop_constraint(op.f("fk_unfreezings_admin_id"), "unfreezings")
    op.drop_column("unfreezings", "admin_id")
