"""Keep what the audit has added up, so that it need not read all entries again."""

import sqlalchemy as sa
from alembic import op

from migrations.online import create_index

revision = "e2a94c7d1b60"
down_revision = "c2a87f5e1d30"
branch_labels = None
depends_on = None

INDEXES = (
    ("ix_model_calls_closed_at", "closed_at", "brin"),
    ("ix_model_calls_user_id", "user_id", "btree"),
)


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
    for name, column, using in INDEXES:
        create_index(name, "model_calls", [column], using=using)


def downgrade() -> None:
    for name, _, _ in INDEXES:
        op.drop_index(name, table_name="model_calls")
    op.drop_table("audit_sums")
    op.drop_column("audit_runs", "rolled_id")
    op.drop_column("audit_runs", "through_at")
