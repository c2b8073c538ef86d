"""Tell people once when a limit comes near, and when their credits run low."""

import sqlalchemy as sa
from alembic import op

revision = "e1d3b96a7f20"
down_revision = "c7e5082b4f16"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "day",
                "month",
                "balance",
                name="alertkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("percent", sa.BigInteger(), nullable=False),
        sa.Column("limit_micros", sa.BigInteger(), nullable=False),
        sa.Column("period_begins", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dismissed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_alerts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        sa.UniqueConstraint(
            "user_id",
            "kind",
            "period_begins",
            "limit_micros",
            "percent",
            name=op.f("uq_alerts_user_id_kind_period_begins_limit_micros_percent"),
        ),
    )
    op.create_index(
        "ix_alerts_open", "alerts", ["user_id"], postgresql_where=sa.text("dismissed_at IS NULL")
    )


def downgrade() -> None:
    op.drop_table("alerts")
