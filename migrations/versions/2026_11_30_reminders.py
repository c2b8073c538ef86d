"""Know users' reminders, when they fired, and the calendar feeds that show them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4b1d7c0e9a52"
down_revision = "4b0e5d9a71f2"
branch_labels = None
depends_on = None

REPEATS = ("once", "daily", "weekly", "monthly_by_day", "monthly_by_weekday")
STATUSES = ("active", "paused", "ended", "cancelled")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _create_reminders()
    op.create_index("uq_reminders_user_id_number", "reminders", ["user_id", "number"], unique=True)
    op.create_index(
        "ix_reminders_due_at",
        "reminders",
        ["due_at"],
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_index("ix_reminders_conversation_id", "reminders", ["conversation_id"])
    _create_firings()
    op.create_index(
        "uq_reminder_firings_due_at", "reminder_firings", ["reminder_id", "due_at"], unique=True
    )
    op.create_index("ix_reminder_firings_user_id_id", "reminder_firings", ["user_id", "id"])
    op.create_index("ix_reminder_firings_message_id", "reminder_firings", ["message_id"])
    op.create_table(
        "calendar_feeds",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("secret_hash", sa.LargeBinary(), nullable=False),
        _created("created_at"),
        _of("calendar_feeds", "user_id", "users", "CASCADE"),
        sa.PrimaryKeyConstraint("user_id", name="pk_calendar_feeds"),
        sa.UniqueConstraint("secret_hash", name="uq_calendar_feeds_secret_hash"),
    )


def downgrade() -> None:
    for table in ("calendar_feeds", "reminder_firings", "reminders"):
        op.drop_table(table)


def _create_reminders() -> None:
    op.create_table(
        "reminders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=False), nullable=False),
        sa.Column("repeats", sa.String(32), nullable=False),
        sa.Column("every", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("weekdays", postgresql.JSONB(), server_default="[]", nullable=False),
        sa.Column("month_day", sa.BigInteger(), nullable=True),
        sa.Column("month_week", sa.BigInteger(), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("scheduled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("snoozed_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        _created("created_at"),
        _one_of("reminderkind", "kind", ("reminder",)),
        _one_of("repeats", "repeats", REPEATS),
        _one_of("reminderstatus", "status", STATUSES),
        sa.CheckConstraint(
            "(status = 'active') = (due_at IS NOT NULL)", name=op.f("ck_reminders_active_is_due")
        ),
        sa.CheckConstraint("every > 0", name=op.f("ck_reminders_every_positive")),
        sa.CheckConstraint(
            "due_at IS NOT DISTINCT FROM least(scheduled_at, snoozed_until) OR status <> 'active'",
            name=op.f("ck_reminders_due_at_first"),
        ),
        _of("reminders", "user_id", "users", "CASCADE"),
        _of("reminders", "conversation_id", "conversations", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_reminders"),
    )


def _create_firings() -> None:
    op.create_table(
        "reminder_firings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("reminder_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        _created("fired_at"),
        sa.Column("missed", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("missed >= 0", name=op.f("ck_reminder_firings_missed_not_negative")),
        _of("reminder_firings", "reminder_id", "reminders", "CASCADE"),
        _of("reminder_firings", "user_id", "users", "CASCADE"),
        _of("reminder_firings", "message_id", "messages", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_reminder_firings"),
    )


def _created(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _one_of(name: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_reminders_{name}"))


def _of(table: str, column: str, parent: str, then: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete=then)
