"""Keep since when a person may have granted credits, so that who has old ones is found by an index."""

import sqlalchemy as sa
from alembic import op

revision = "0d84e6b1f25a"
down_revision = "f6c93a0b7d24"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("users", sa.Column("oldest_grant_at", sa.DateTime(timezone=True), nullable=True))
    op.execute("""
        UPDATE users SET oldest_grant_at = first.at
        FROM (
            SELECT user_id, min(created_at) AS at FROM transactions
            WHERE kind = 'grant' GROUP BY user_id
        ) AS first
        WHERE users.id = first.user_id
    """)
    op.create_index(
        "ix_users_oldest_grant_at",
        "users",
        ["oldest_grant_at"],
        postgresql_where=sa.text("oldest_grant_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("users", "oldest_grant_at")
