"""Keep whose an event of Stripe's is that was set aside."""

import sqlalchemy as sa
from alembic import op

revision = "5d9be04f7a26"
down_revision = "b8045e17d9c3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("stripe_events", sa.Column("user_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_stripe_events_user_id"),
        "stripe_events",
        "users",
        ["user_id"],
        ["id"],
        ondelete="SET NULL",
    )
    op.create_index(op.f("ix_stripe_events_user_id"), "stripe_events", ["user_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_stripe_events_user_id"), "stripe_events")
    op.drop_constraint(op.f("fk_stripe_events_user_id"), "stripe_events")
    op.drop_column("stripe_events", "user_id")
