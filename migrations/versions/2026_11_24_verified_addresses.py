"""Links that are mailed, verified addresses, requests for new passwords, free credit once a person."""

import sqlalchemy as sa
from alembic import op

revision = "3fa03863be0d"
down_revision = "5aa4d369e461"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "password_reset_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_password_reset_requests")),
    )
    op.create_table(
        "free_credit_claims",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("mailbox_hash", sa.Text(), nullable=False),
        sa.Column("network_hash", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_free_credit_claims_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_free_credit_claims")),
        sa.UniqueConstraint("mailbox_hash", name=op.f("uq_free_credit_claims_mailbox_hash")),
    )
    op.create_index(
        "ix_free_credit_claims_network_hash_created_at",
        "free_credit_claims",
        ["network_hash", "created_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_free_credit_claims_user_id"), "free_credit_claims", ["user_id"], unique=False
    )
    op.create_table(
        "free_credit_refusals",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "reason",
            sa.Enum(
                "claimed",
                "disposable",
                "blocked",
                "network",
                name="refusalreason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("mailbox_hash", sa.Text(), nullable=False),
        sa.Column("network_hash", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_free_credit_refusals_user_id"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_free_credit_refusals")),
    )
    op.create_index(
        op.f("ix_free_credit_refusals_user_id"), "free_credit_refusals", ["user_id"], unique=False
    )
    op.create_table(
        "mailed_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column(
            "purpose",
            sa.Enum(
                "verification",
                "password_reset",
                "address_change",
                name="linkpurpose",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_mailed_links_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mailed_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_mailed_links_secret_hash")),
    )
    op.create_index(op.f("ix_mailed_links_user_id"), "mailed_links", ["user_id"], unique=False)
    op.add_column(
        "users", sa.Column("email_verified_at", sa.DateTime(timezone=True), nullable=True)
    )


def downgrade() -> None:
    op.drop_column("users", "email_verified_at")
    op.drop_index(op.f("ix_mailed_links_user_id"), table_name="mailed_links")
    op.drop_table("mailed_links")
    op.drop_index(op.f("ix_free_credit_refusals_user_id"), table_name="free_credit_refusals")
    op.drop_table("free_credit_refusals")
    op.drop_index(op.f("ix_free_credit_claims_user_id"), table_name="free_credit_claims")
    op.drop_index("ix_free_credit_claims_network_hash_created_at", table_name="free_credit_claims")
    op.drop_table("free_credit_claims")
    op.drop_table("password_reset_requests")
