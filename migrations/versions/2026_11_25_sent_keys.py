"""Know a message that is sent again."""

import sqlalchemy as sa
from alembic import op

revision = "a17c5e93d048"
down_revision = "5d9be04f7a26"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("messages", sa.Column("sent_key", sa.Uuid(), nullable=True))
    op.create_index(
        "uq_messages_sent_key",
        "messages",
        ["user_id", "sent_key"],
        unique=True,
        postgresql_where=sa.text("sent_key IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("uq_messages_sent_key", "messages")
    op.drop_column("messages", "sent_key")
