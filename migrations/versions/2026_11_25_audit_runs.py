"""Keep when each audit last looked through all books, and find quickly what waits for an admin."""

import sqlalchemy as sa
from alembic import op

revision = "b8045e17d9c3"
down_revision = "3f6d0c82ab19"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "audit_runs",
        sa.Column(
            "books",
            sa.Enum(
                "ledger",
                "stripe",
                name="books",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("books", name=op.f("pk_audit_runs")),
    )
    op.create_index(
        "ix_users_spending_frozen_at",
        "users",
        ["spending_frozen_at"],
        postgresql_where=sa.text("spending_frozen_at IS NOT NULL"),
    )
    op.create_index(
        "ix_stripe_events_set_aside",
        "stripe_events",
        ["created_at"],
        postgresql_where=sa.text("trouble IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("ix_stripe_events_set_aside", "stripe_events")
    op.drop_index("ix_users_spending_frozen_at", "users")
    op.drop_table("audit_runs")
