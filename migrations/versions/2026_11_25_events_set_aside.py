"""An event that cannot have its effect is kept, with the reason, for somebody to look into."""

import sqlalchemy as sa
from alembic import op

revision = "d52b8e1f6c07"
down_revision = "4a81d6e3f072"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("stripe_events", sa.Column("trouble", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("stripe_events", "trouble")
