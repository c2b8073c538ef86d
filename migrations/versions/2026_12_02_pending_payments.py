"""Find the payments that nobody has heard the end of, however many are over."""

from alembic import op

from migrations.online import create_index

revision = "e18c5a7d2b64"
down_revision = "d407a9c3e51f"
branch_labels = None
depends_on = None

PENDING = "ix_payments_pending"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    create_index(PENDING, "payments", ["created_at"], where="status IN ('open', 'processing')")


def downgrade() -> None:
    op.drop_index(PENDING, table_name="payments")
