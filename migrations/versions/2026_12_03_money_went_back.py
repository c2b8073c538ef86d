"""Let automatic top-up be off because money of a payment went back."""

from alembic import op

revision = "e4d15b80c3a7"
down_revision = "b7c2e4f9a610"
branch_labels = None
depends_on = None

REASONS = "ck_billing_accounts_topupoffreason"
BEFORE = "'bank_asks', 'tried_too_often', 'card_removed', 'other'"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_constraint(op.f(REASONS), "billing_accounts")
    # Every row fits already, as the new list only adds to the old one: nothing is read under the
    # lock.
    op.execute(
        f"ALTER TABLE billing_accounts ADD CONSTRAINT {REASONS}"
        f" CHECK (top_up_off_reason IN ({BEFORE}, 'money_went_back')) NOT VALID"
    )


def downgrade() -> None:
    op.execute(
        "UPDATE billing_accounts SET top_up_off_reason = NULL"
        " WHERE top_up_off_reason = 'money_went_back'"
    )
    op.drop_constraint(op.f(REASONS), "billing_accounts")
    op.create_check_constraint(
        op.f(REASONS), "billing_accounts", f"top_up_off_reason IN ({BEFORE})"
    )
