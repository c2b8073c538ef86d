"""Let people limit what a message, a day and a month may cost."""

import sqlalchemy as sa
from alembic import op

revision = "5b0d1c7e92a4"
down_revision = "0425643a4c5f"
branch_labels = None
depends_on = None

OF_PEOPLE = ("message_limit_micros", "day_limit_micros", "month_limit_micros")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name in OF_PEOPLE:
        op.add_column("users", sa.Column(name, sa.BigInteger(), nullable=True))
    op.create_check_constraint(
        op.f("ck_users_limits_positive"), "users", f"least({', '.join(OF_PEOPLE)}) > 0"
    )
    op.add_column("jobs", sa.Column("cost_limit_micros", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_jobs_cost_limit_positive"), "jobs", "cost_limit_micros > 0")
    op.create_index("ix_transactions_user_id_created_at", "transactions", ["user_id", "created_at"])


def downgrade() -> None:
    op.drop_index("ix_transactions_user_id_created_at", table_name="transactions")
    op.drop_constraint(op.f("ck_jobs_cost_limit_positive"), "jobs", type_="check")
    op.drop_column("jobs", "cost_limit_micros")
    op.drop_constraint(op.f("ck_users_limits_positive"), "users", type_="check")
    for name in reversed(OF_PEOPLE):
        op.drop_column("users", name)
