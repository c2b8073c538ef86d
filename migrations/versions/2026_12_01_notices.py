"""Let reminders and tasks be told by chosen ways, mailed at last, and collected when too many."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from migrations.online import create_index

revision = "f2b7c94e1a08"
down_revision = "e93a5d07c1b8"
branch_labels = None
depends_on = None

TOPICS = ("reminders", "tasks")
LETTERS = ("reminder", "task_result", "collected")
MOMENTS = ("handed_over_at", "collected_at", "mailed_at")
# By the constraint that lists the codes: its table and column, and what is new.
CODES = {
    "ck_notifications_topic": ("notifications", "topic", TOPICS),
    "ck_notification_preferences_topic": ("notification_preferences", "topic", TOPICS),
    "ck_emails_letterkind": ("emails", "kind", LETTERS),
}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name, (table, column, added) in CODES.items():
        _allow(name, table, column, (*_allowed(name), *added))
    _carry_choices_over()
    for moment in MOMENTS:
        op.add_column("notifications", sa.Column(moment, sa.DateTime(timezone=True)))
    op.add_column("notifications", sa.Column("message_id", sa.Uuid()))
    # No row names a message yet: there is nothing to read under the lock.
    op.execute(
        "ALTER TABLE notifications ADD CONSTRAINT fk_notifications_message_id"
        " FOREIGN KEY (message_id) REFERENCES messages (id) ON DELETE CASCADE NOT VALID"
    )
    op.execute("ALTER TABLE notifications VALIDATE CONSTRAINT fk_notifications_message_id")
    create_index("ix_notifications_message_id", "notifications", ["message_id"])
    create_index(
        "ix_notifications_mailed",
        "notifications",
        ["user_id", "mailed_at"],
        where="mailed_at IS NOT NULL",
    )


def downgrade() -> None:
    op.drop_index("ix_notifications_mailed", table_name="notifications")
    op.drop_index("ix_notifications_message_id", table_name="notifications")
    op.drop_constraint("fk_notifications_message_id", "notifications", type_="foreignkey")
    op.drop_column("notifications", "message_id")
    for moment in MOMENTS:
        op.drop_column("notifications", moment)
    op.drop_column("notification_preferences", "declined")
    for name, (table, column, added) in CODES.items():
        op.execute(sa.delete(sa.table(table, sa.column(column))).where(_is_one_of(column, added)))
        _allow(name, table, column, tuple(one for one in _allowed(name) if one not in added))


def _carry_choices_over() -> None:
    """Keep what was chosen: a usual way that somebody had left out was declined.

    News about money has to come by some way now, so who had left out all of them gets it by mail.
    """
    op.add_column(
        "notification_preferences",
        sa.Column(
            "declined",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="[]",
            nullable=False,
        ),
    )
    op.execute("""
        UPDATE notification_preferences SET ways = '["email"]' WHERE topic = 'alerts' AND ways = '[]'
    """)
    for topic, way in (("alerts", "email"), ("long_work", "push")):
        op.execute(f"""
            UPDATE notification_preferences SET declined = '["{way}"]'
            WHERE topic = '{topic}' AND NOT ways @> '["{way}"]'
        """)


def _is_one_of(column: str, codes: tuple[str, ...]) -> sa.ColumnElement[bool]:
    return sa.column(column).in_([sa.literal_column(f"'{code}'") for code in codes])


def _allowed(constraint: str) -> tuple[str, ...]:
    """Read which codes are allowed now: other migrations add to them too."""
    written = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    found = op.get_bind().scalar(written, {"name": constraint})
    return tuple(dict.fromkeys(re.findall(r"'([a-z_]+)'", str(found))))


def _allow(constraint: str, table: str, column: str, codes: tuple[str, ...]) -> None:
    name = op.f(constraint)
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, sa.column(column).in_(codes))
