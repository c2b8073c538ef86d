"""Let an export end when its user deletes something that was in it."""

from alembic import op

from migrations.online import replace_check

revision = "8d15b7e40a93"
down_revision = "3f8a61c0d7e2"
branch_labels = None
depends_on = None

BEFORE = ("waiting", "ready", "failed")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow(*BEFORE, "ended")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.execute("UPDATE exports SET status = 'failed' WHERE status = 'ended'")
    _allow(*BEFORE)


def _allow(*statuses: str) -> None:
    listed = ", ".join(f"'{status}'" for status in statuses)
    replace_check("exports", "ck_exports_exportstatus", f"status IN ({listed})")
