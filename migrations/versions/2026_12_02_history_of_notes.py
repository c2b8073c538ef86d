"""Know where earlier words of notes were said, so that they go with that.

Of those that are there already nobody knows it, so they go now: a promise that deleted words stay
nowhere counts more than taking an edit back.
"""

import sqlalchemy as sa
from alembic import op

revision = "3f8a61c0d7e2"
down_revision = "b7e2c4f1a903"
branch_labels = None
depends_on = None

NAMES = ("conversation_id", "message_id")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in NAMES:
        op.add_column("memory_changes", sa.Column(name, sa.Uuid(), nullable=True))
    op.execute("UPDATE memory_changes SET before = NULL WHERE before IS NOT NULL")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in NAMES:
        op.drop_column("memory_changes", name)
