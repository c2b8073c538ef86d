"""Whoever has an account already has had the sign-up grant, and need not verify their address."""

from alembic import op

revision = "c41d7f0a92be"
down_revision = "3fa03863be0d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE users SET email_verified_at = created_at WHERE email_verified_at IS NULL")


def downgrade() -> None:
    pass
