"""Let notes come with an archive."""

from alembic import op

from migrations.online import replace_check

revision = "b6e2049fd871"
down_revision = "8d15b7e40a93"
branch_labels = None
depends_on = None

TABLES = ("memory_notes", "memory_changes")
BEFORE = ("user", "assistant")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow(*BEFORE, "imported")


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in TABLES:
        op.execute(f"UPDATE {table} SET author = 'user' WHERE author = 'imported'")
    _allow(*BEFORE)


def _allow(*authors: str) -> None:
    listed = ", ".join(f"'{author}'" for author in authors)
    for table in TABLES:
        replace_check(table, f"ck_{table}_noteauthor", f"author IN ({listed})")
