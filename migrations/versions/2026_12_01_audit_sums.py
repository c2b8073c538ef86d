"""Keep what the audit has added up, so that it need not read all entries again."""

import sqlalchemy as sa
from alembic import op

revision = "e2a94c7d1b60"
down_revision = "e93a5d07c1b8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("audit_runs", sa.Column("through_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("audit_runs", sa.Column("rolled_id", sa.Uuid(), nullable=True))
    op.create_table(
        "audit_sums",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("granted_micros", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_audit_sums_user_id_users"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_audit_sums")),
    )
    # A BRIN index of millions of rows is made in a second or two.
    op.create_index(
        "ix_model_calls_closed_at",
        "model_calls",
        ["closed_at"],
        unique=False,
        postgresql_using="brin",
    )


def downgrade() -> None:
    op.drop_index("ix_model_calls_closed_at", table_name="model_calls", postgresql_using="brin")
    op.drop_table("audit_sums")
    op.drop_column("audit_runs", "rolled_id")
    op.drop_column("audit_runs", "through_at")
