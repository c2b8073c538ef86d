"""Note whom Stripe is to delete when an account is erased."""

import sqlalchemy as sa
from alembic import op

revision = "d407a9c3e51f"
down_revision = "b6e2049fd871"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "customer_deletions",
        sa.Column("customer_id", sa.Text(), nullable=False),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        _moment("due_at"),
        _moment("created_at"),
        sa.PrimaryKeyConstraint("customer_id", name=op.f("pk_customer_deletions")),
    )
    op.create_index(op.f("ix_customer_deletions_due_at"), "customer_deletions", ["due_at"])


def downgrade() -> None:
    op.drop_table("customer_deletions")


def _moment(name: str) -> sa.Column[object]:
    now = sa.text("now()")
    return sa.Column(name, sa.DateTime(timezone=True), server_default=now, nullable=False)
