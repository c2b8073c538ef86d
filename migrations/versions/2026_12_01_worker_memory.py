"""Keep what the cells of a worker take, and how their boots went."""

import sqlalchemy as sa
from alembic import op

revision = "b7e2c4f1a903"
down_revision = "a4d6b8f2c910"
branch_labels = None
depends_on = None

COUNTS = ("memory_bytes", "memory_free_bytes", "boots", "boot_failures")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in COUNTS:
        op.add_column(
            "workers", sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)
        )
    op.add_column("workers", sa.Column("boot_ms", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("workers", "boot_ms")
    for name in COUNTS:
        op.drop_column("workers", name)
