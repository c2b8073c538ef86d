"""The outbox: mails that are written with what causes them, and sent afterwards."""

import sqlalchemy as sa
from alembic import op

revision = "5aa4d369e461"
down_revision = "e1d3b96a7f20"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "emails",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "verification",
                "password_reset",
                "password_changed",
                "address_change",
                "address_changed",
                "receipt",
                "alert",
                name="letterkind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("text_body", sa.Text(), nullable=False),
        sa.Column("html_body", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "queued",
                "sent",
                "failed",
                name="emailstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(status = 'queued') = (next_try_at IS NOT NULL)",
            name=op.f("ck_emails_queued_has_next_try"),
        ),
        sa.CheckConstraint(
            "(status = 'sent') = (sent_at IS NOT NULL)", name=op.f("ck_emails_sent_has_time")
        ),
        sa.CheckConstraint(
            "status = 'queued' OR (text_body = '' AND html_body = '')",
            name=op.f("ck_emails_words_are_not_kept"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emails")),
        sa.UniqueConstraint("reference", name=op.f("uq_emails_reference")),
    )
    op.create_index(
        "ix_emails_due",
        "emails",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("status = 'queued'"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_emails_due", table_name="emails", postgresql_where=sa.text("status = 'queued'")
    )
    op.drop_table("emails")
