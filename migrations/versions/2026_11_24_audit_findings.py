"""Keep what an audit of the books finds."""

import sqlalchemy as sa
from alembic import op

revision = "2f9a70c3d815"
down_revision = "8c41f6d2ab07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "audit_findings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("off_by_micros", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_audit_findings_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_findings")),
        sa.UniqueConstraint(
            "rule",
            "subject",
            "off_by_micros",
            name=op.f("uq_audit_findings_rule_subject_off_by_micros"),
        ),
    )
    op.create_index(op.f("ix_audit_findings_user_id"), "audit_findings", ["user_id"])


def downgrade() -> None:
    op.drop_table("audit_findings")
