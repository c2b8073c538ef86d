"""Tell users by ways that they choose: preferences, quiet hours, browsers and pushes."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4b0e5d9a71f2"
down_revision = "ad31c70b9e52"
branch_labels = None
depends_on = None

KINDS = (
    *("sign_up", "sign_up_known", "verification", "password_reset", "password_changed"),
    *("address_change", "address_change_asked", "address_changed", "receipt", "alert"),
    *("google_connection", "google_connected", "google_disconnected", "channel_linked"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow((*KINDS, "long_work"))
    op.add_column("users", sa.Column("quiet_from_minute", sa.BigInteger(), nullable=True))
    op.add_column("users", sa.Column("quiet_until_minute", sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_users_quiet_hours_are_two_times"),
        "users",
        "(quiet_from_minute IS NULL) = (quiet_until_minute IS NULL)"
        " AND quiet_from_minute <> quiet_until_minute"
        " AND quiet_from_minute BETWEEN 0 AND 1439 AND quiet_until_minute BETWEEN 0 AND 1439",
    )
    _create_notifications()
    _create_pushes()


def _create_notifications() -> None:
    op.create_table(
        "notification_preferences",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("topic", _topic(), nullable=False),
        sa.Column("ways", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_notification_preferences_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("user_id", "topic", name=op.f("pk_notification_preferences")),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("topic", _topic(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("ready_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        _created(),
        sa.CheckConstraint(
            "(dispatched_at IS NULL) = (content IS NOT NULL)",
            name=op.f("ck_notifications_held_has_content"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_notifications_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("reference", name=op.f("uq_notifications_reference")),
    )
    op.create_index(
        "ix_notifications_held",
        "notifications",
        ["ready_at"],
        postgresql_where=sa.text("dispatched_at IS NULL"),
    )
    op.create_index("ix_notifications_user_id_id", "notifications", ["user_id", "id"])


def _create_pushes() -> None:
    op.create_table(
        "push_subscriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("endpoint", sa.Text(), nullable=False),
        sa.Column("p256dh", sa.Text(), nullable=False),
        sa.Column("auth", sa.Text(), nullable=False),
        sa.Column("failures", sa.BigInteger(), server_default="0", nullable=False),
        _created(),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["user_sessions.id"],
            name=op.f("fk_push_subscriptions_session_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_push_subscriptions_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_push_subscriptions")),
        sa.UniqueConstraint("endpoint", name=op.f("uq_push_subscriptions_endpoint")),
    )
    op.create_index("ix_push_subscriptions_user_id", "push_subscriptions", ["user_id"])
    op.create_index("ix_push_subscriptions_session_id", "push_subscriptions", ["session_id"])
    op.create_table(
        "pushes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subscription_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "sent",
                "failed",
                name="pushstatus",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        _created(),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "(status = 'waiting') = (next_try_at IS NOT NULL)",
            name=op.f("ck_pushes_waiting_has_try"),
        ),
        sa.CheckConstraint(
            "(status = 'waiting') = (content IS NOT NULL)",
            name=op.f("ck_pushes_words_are_not_kept"),
        ),
        sa.ForeignKeyConstraint(
            ["subscription_id"],
            ["push_subscriptions.id"],
            name=op.f("fk_pushes_subscription_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
    )
    op.create_index("uq_pushes_once", "pushes", ["subscription_id", "reference"], unique=True)
    op.create_index(
        "ix_pushes_due",
        "pushes",
        ["next_try_at"],
        postgresql_where=sa.text("status = 'waiting'"),
    )


def downgrade() -> None:
    op.drop_table("pushes")
    op.drop_table("push_subscriptions")
    op.drop_table("notifications")
    op.drop_table("notification_preferences")
    op.drop_constraint(op.f("ck_users_quiet_hours_are_two_times"), "users", type_="check")
    op.drop_column("users", "quiet_until_minute")
    op.drop_column("users", "quiet_from_minute")
    op.execute("DELETE FROM emails WHERE kind = 'long_work'")
    _allow(KINDS)


def _topic() -> sa.Enum:
    return sa.Enum(
        "alerts",
        "long_work",
        name="topic",
        native_enum=False,
        create_constraint=True,
        length=32,
    )


def _created() -> sa.Column[datetime]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _allow(kinds: tuple[str, ...]) -> None:
    name = op.f("ck_emails_letterkind")
    op.drop_constraint(name, "emails", type_="check")
    op.create_check_constraint(name, "emails", sa.column("kind").in_(kinds))
