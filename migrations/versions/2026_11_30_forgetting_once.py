"""Let one worker at a time take deleted conversations out of a person's files."""

import sqlalchemy as sa
from alembic import op

revision = "e2a7c15f9b48"
down_revision = "5b0d94e7a1c3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("erasures", sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("erasures", "leased_until")
