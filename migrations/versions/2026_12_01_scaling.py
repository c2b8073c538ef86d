"""Keep what was decided about the number of workers, and which of them may be stopped."""

import sqlalchemy as sa
from alembic import op

revision = "5c8e1f40b7d3"
down_revision = "9e41b7d03c58"
branch_labels = None
depends_on = None

REASONS = ("demand", "calm", "release", "drained")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("workers", sa.Column("released_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "scaling_decisions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "reason",
            sa.Enum(
                *REASONS,
                name="scalingreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("demand", sa.BigInteger(), nullable=False),
        sa.Column("oldest_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wanted", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.Column("draining", sa.BigInteger(), nullable=False),
        sa.Column("desired_before", sa.BigInteger(), nullable=False),
        sa.Column("desired", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "desired >= 0 AND draining >= 0 AND demand >= 0",
            name=op.f("ck_scaling_decisions_counts"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scaling_decisions")),
    )


def downgrade() -> None:
    op.drop_table("scaling_decisions")
    op.drop_column("workers", "released_at")
