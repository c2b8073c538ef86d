"""Let findings of an audit end, and keep who was unfrozen and why."""

import sqlalchemy as sa
from alembic import op

revision = "9c5e20b7d4f1"
down_revision = "b64e2a7c1d38"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("audit_findings", sa.Column("resolved_at", sa.DateTime(timezone=True)))
    op.drop_constraint(op.f("uq_audit_findings_rule_subject_off_by_micros"), "audit_findings")
    op.create_index(
        "uq_audit_findings_open",
        "audit_findings",
        ["rule", "subject", "off_by_micros"],
        unique=True,
        postgresql_where=sa.text("resolved_at IS NULL"),
    )
    op.create_table(
        "unfreezings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_reason", sa.Text(), nullable=False),
        sa.Column("forced_because", sa.Text()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_unfreezings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unfreezings")),
    )
    op.create_index(op.f("ix_unfreezings_user_id"), "unfreezings", ["user_id"])


def downgrade() -> None:
    op.drop_table("unfreezings")
    op.drop_index("uq_audit_findings_open", "audit_findings")
    # Only what is open is known to the older shape, which has each once.
    op.execute("DELETE FROM audit_findings WHERE resolved_at IS NOT NULL")
    op.create_unique_constraint(
        op.f("uq_audit_findings_rule_subject_off_by_micros"),
        "audit_findings",
        ["rule", "subject", "off_by_micros"],
    )
    op.drop_column("audit_findings", "resolved_at")
