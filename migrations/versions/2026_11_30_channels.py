"""Know users' messengers: accounts, links, updates that came in, deliveries that go out."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "7e1e92a4d0c3"
down_revision = "c0de5e4f7a21"
branch_labels = None
depends_on = None

KINDS = (
    *("sign_up", "sign_up_known", "verification", "password_reset", "password_changed"),
    *("address_change", "address_change_asked", "address_changed", "receipt", "alert"),
    *("google_connection", "google_connected", "google_disconnected"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow((*KINDS, "channel_linked"))
    op.create_table(
        "channel_links",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Text(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint(
            "(account_id IS NULL) = (address IS NULL)",
            name=op.f("ck_channel_links_account_has_address"),
        ),
        sa.CheckConstraint(
            "(user_id IS NULL) <> (account_id IS NULL)",
            name=op.f("ck_channel_links_made_on_one_side"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_channel_links_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_links")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_channel_links_secret_hash")),
    )
    op.create_index("ix_channel_links_expires_at", "channel_links", ["expires_at"], unique=False)
    op.create_index("ix_channel_links_user_id", "channel_links", ["user_id"], unique=False)
    op.create_table(
        "channel_accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column(
            "linked_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("blocked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["conversation_id"],
            ["conversations.id"],
            name=op.f("fk_channel_accounts_conversation_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_channel_accounts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_accounts")),
    )
    op.create_index(
        "ix_channel_accounts_conversation_id", "channel_accounts", ["conversation_id"], unique=False
    )
    op.create_index(
        "uq_channel_accounts_outside", "channel_accounts", ["channel", "account_id"], unique=True
    )
    op.create_index(
        "uq_channel_accounts_user", "channel_accounts", ["user_id", "channel"], unique=True
    )
    op.create_table(
        "channel_updates",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=True),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("account_id", sa.Text(), nullable=False),
        sa.Column("message_id", sa.Text(), nullable=True),
        sa.Column("group_id", sa.Text(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "asked",
                "done",
                "refused",
                "failed",
                name="updatestatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("payload", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "details", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("handled_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "status <> 'waiting' OR payload IS NOT NULL",
            name=op.f("ck_channel_updates_waiting_has_payload"),
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_channel_updates_job_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_updates")),
    )
    op.create_index("ix_channel_updates_job_id", "channel_updates", ["job_id"], unique=False)
    op.create_index(
        "ix_channel_updates_message",
        "channel_updates",
        ["channel", "account_id", "message_id"],
        unique=False,
    )
    op.create_index(
        "ix_channel_updates_number", "channel_updates", ["channel", "number"], unique=False
    )
    op.create_index(
        "ix_channel_updates_received_at", "channel_updates", ["received_at"], unique=False
    )
    op.create_index(
        "ix_channel_updates_waiting",
        "channel_updates",
        ["channel", "account_id", "place"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index(
        "uq_channel_updates_external_id", "channel_updates", ["channel", "external_id"], unique=True
    )
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("channel_account_id", sa.Uuid(), nullable=True),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column(
            "lane",
            sa.Enum(
                "conversation",
                "replies",
                name="lane",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "kind",
            sa.Enum(
                "answer",
                "question",
                "notice",
                "acknowledgement",
                "leaving",
                name="deliverykind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column(
            "content", postgresql.JSONB(astext_type=sa.Text()), server_default="{}", nullable=False
        ),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "sent",
                "failed",
                "cancelled",
                name="deliverystatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "ready_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("preview_id", sa.Text(), nullable=True),
        sa.Column(
            "sent_ids", postgresql.JSONB(astext_type=sa.Text()), server_default="[]", nullable=False
        ),
        sa.Column("has_told_paused", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(kind = 'answer') = (job_id IS NOT NULL)", name=op.f("ck_deliveries_answer_has_job")
        ),
        sa.CheckConstraint(
            "(status = 'waiting') = (finished_at IS NULL)", name=op.f("ck_deliveries_over_has_time")
        ),
        sa.ForeignKeyConstraint(
            ["channel_account_id"],
            ["channel_accounts.id"],
            name=op.f("fk_deliveries_channel_account_id"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_deliveries_job_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_deliveries_message_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_deliveries_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deliveries")),
    )
    op.create_index(
        "ix_deliveries_account", "deliveries", ["channel_account_id", "id"], unique=False
    )
    op.create_index("ix_deliveries_finished_at", "deliveries", ["finished_at"], unique=False)
    op.create_index("ix_deliveries_job_id", "deliveries", ["job_id"], unique=False)
    op.create_index("ix_deliveries_user_id_id", "deliveries", ["user_id", "id"], unique=False)
    op.create_index(
        "ix_deliveries_waiting",
        "deliveries",
        ["channel", "address", "lane", "number"],
        unique=False,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_index("uq_deliveries_reference", "deliveries", ["reference"], unique=True)
    op.add_column("messages", sa.Column("channel", sa.Text(), server_default="web", nullable=False))


def downgrade() -> None:
    op.execute("DELETE FROM emails WHERE kind = 'channel_linked'")
    _allow(KINDS)
    op.drop_column("messages", "channel")
    op.drop_index("uq_deliveries_reference", table_name="deliveries")
    op.drop_index(
        "ix_deliveries_waiting",
        table_name="deliveries",
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index("ix_deliveries_user_id_id", table_name="deliveries")
    op.drop_index("ix_deliveries_job_id", table_name="deliveries")
    op.drop_index("ix_deliveries_finished_at", table_name="deliveries")
    op.drop_index("ix_deliveries_account", table_name="deliveries")
    op.drop_table("deliveries")
    op.drop_index("uq_channel_updates_external_id", table_name="channel_updates")
    op.drop_index(
        "ix_channel_updates_waiting",
        table_name="channel_updates",
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index("ix_channel_updates_received_at", table_name="channel_updates")
    op.drop_index("ix_channel_updates_number", table_name="channel_updates")
    op.drop_index("ix_channel_updates_message", table_name="channel_updates")
    op.drop_index("ix_channel_updates_job_id", table_name="channel_updates")
    op.drop_table("channel_updates")
    op.drop_index("uq_channel_accounts_user", table_name="channel_accounts")
    op.drop_index("uq_channel_accounts_outside", table_name="channel_accounts")
    op.drop_index("ix_channel_accounts_conversation_id", table_name="channel_accounts")
    op.drop_table("channel_accounts")
    op.drop_index("ix_channel_links_user_id", table_name="channel_links")
    op.drop_index("ix_channel_links_expires_at", table_name="channel_links")
    op.drop_table("channel_links")


def _allow(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_emails_letterkind")
    op.drop_constraint(name, "emails", type_="check")
    op.create_check_constraint(name, "emails", sa.column("kind").in_(kinds))
