"""Find users by a part of a name or an address, however many there are.

The extension is one that the owner of a database may create by themselves.
"""

import sqlalchemy as sa
from alembic import op

from migrations.online import create_index

revision = "a4d6b8f2c910"
down_revision = "f2b7c94e1a08"
branch_labels = None
depends_on = None

# By name: the table, and the word that is looked for in parts.
TRIGRAMS = {
    "ix_users_email_trigrams": ("users", "email gin_trgm_ops"),
    "ix_users_name_trigrams": ("users", "lower(name) gin_trgm_ops"),
    "ix_channel_accounts_name_trigrams": ("channel_accounts", "lower(name) gin_trgm_ops"),
}
# By name: whom a filter of the list of users means; few are, and they lie among all.
FILTERS = {
    "ix_users_suspended": "sending_suspended_at IS NOT NULL OR sign_in_suspended_at IS NOT NULL",
    "ix_users_unverified": "email_verified_at IS NULL",
    "ix_users_admins": "admin_role IS NOT NULL",
}
OUTSIDE = "ix_channel_accounts_account_id"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
    for name, (table, words) in TRIGRAMS.items():
        create_index(name, table, [sa.text(words)], using="gin")
    for name, condition in FILTERS.items():
        create_index(name, "users", ["id"], where=condition)
    create_index(OUTSIDE, "channel_accounts", ["account_id"])


def downgrade() -> None:
    op.drop_index(OUTSIDE, table_name="channel_accounts")
    for name in FILTERS:
        op.drop_index(name, table_name="users")
    for name, (table, _) in TRIGRAMS.items():
        op.drop_index(name, table_name=table)
    # The extension stays: others may use it.
