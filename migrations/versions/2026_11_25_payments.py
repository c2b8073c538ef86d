"""Payments, two buckets of credits, and accounts that may not spend."""

import sqlalchemy as sa
from alembic import op

revision = "7d1f0c3a9b52"
down_revision = "c41d7f0a92be"
branch_labels = None
depends_on = None

KINDS = "'grant', 'charge', 'refund', 'absorbed'"
NEW_KINDS = f"{KINDS}, 'top_up', 'payment_refund', 'chargeback', 'adjustment', 'expiry'"
SIGNS = (
    "CASE kind WHEN 'charge' THEN amount_micros <= 0 WHEN 'absorbed' THEN amount_micros = 0"
    " ELSE amount_micros > 0 END"
)
NEW_SIGNS = (
    "CASE kind WHEN 'charge' THEN amount_micros <= 0 WHEN 'absorbed' THEN amount_micros = 0"
    " WHEN 'payment_refund' THEN amount_micros <= 0"
    " WHEN 'chargeback' THEN amount_micros <= 0"
    " WHEN 'adjustment' THEN amount_micros <> 0 WHEN 'expiry' THEN amount_micros < 0"
    " ELSE amount_micros > 0 END"
)
# Until now nothing could be bought: all there is was granted.
ALL_IS_GRANTED = """
    ALTER TABLE transactions DISABLE TRIGGER transactions_append_only;
    UPDATE transactions SET promotional_micros = amount_micros;
    ALTER TABLE transactions ENABLE TRIGGER transactions_append_only;
    UPDATE users SET credits_promotional_micros = credits_balance_micros;
"""


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _add_buckets()
    _add_payments()
    _add_what_stripe_tells()


def _add_buckets() -> None:
    op.add_column(
        "users",
        sa.Column(
            "credits_promotional_micros", sa.BigInteger(), server_default="0", nullable=False
        ),
    )
    op.add_column(
        "transactions",
        sa.Column("promotional_micros", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.execute(ALL_IS_GRANTED)
    op.create_check_constraint(
        op.f("ck_users_promotional_within_balance"),
        "users",
        "credits_promotional_micros BETWEEN 0 AND credits_balance_micros",
    )
    op.create_check_constraint(
        op.f("ck_users_frozen_has_reason"),
        "users",
        "(spending_frozen_at IS NULL) = (spending_frozen_reason IS NULL)",
    )
    op.create_check_constraint(
        op.f("ck_transactions_promotional_within_amount"),
        "transactions",
        "promotional_micros BETWEEN LEAST(amount_micros, 0) AND GREATEST(amount_micros, 0)",
    )
    _set_kinds(NEW_KINDS, NEW_SIGNS)


def _set_kinds(kinds: str, signs: str) -> None:
    for name, rule in (("entrykind", f"kind IN ({kinds})"), ("sign_fits_kind", signs)):
        op.drop_constraint(op.f(f"ck_transactions_{name}"), "transactions", type_="check")
        op.create_check_constraint(op.f(f"ck_transactions_{name}"), "transactions", rule)


def _add_payments() -> None:
    op.create_table(
        "payments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", _one_of("paymentkind", "checkout", "automatic"), nullable=False),
        sa.Column(
            "status",
            _one_of("paymentstatus", "open", "processing", "paid", "failed", "expired"),
            nullable=False,
        ),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("charged_micros", sa.BigInteger()),
        sa.Column("returned_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("absorbed_micros", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("stripe_checkout_id", sa.Text()),
        sa.Column("stripe_intent_id", sa.Text()),
        sa.Column("receipt_url", sa.Text()),
        sa.Column("failure", sa.Text()),
        _created(),
        sa.Column("paid_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("amount_micros > 0", name=op.f("ck_payments_amount_positive")),
        sa.CheckConstraint(
            "(status = 'paid') = (paid_at IS NOT NULL)", name=op.f("ck_payments_paid_has_time")
        ),
        sa.CheckConstraint(
            "(status = 'paid') = (charged_micros IS NOT NULL)",
            name=op.f("ck_payments_paid_has_sum"),
        ),
        sa.CheckConstraint(
            "(status = 'failed') = (failure IS NOT NULL)",
            name=op.f("ck_payments_failed_has_reason"),
        ),
        sa.CheckConstraint(
            "returned_micros BETWEEN 0 AND amount_micros",
            name=op.f("ck_payments_returned_within_it"),
        ),
        sa.CheckConstraint(
            "absorbed_micros BETWEEN 0 AND returned_micros",
            name=op.f("ck_payments_absorbed_within_it"),
        ),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name=op.f("fk_payments_user_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payments")),
        sa.UniqueConstraint("stripe_checkout_id", name=op.f("uq_payments_stripe_checkout_id")),
        sa.UniqueConstraint("stripe_intent_id", name=op.f("uq_payments_stripe_intent_id")),
    )
    op.create_index("ix_payments_user_id_id", "payments", ["user_id", "id"])
    op.create_index(
        "uq_payments_automatic_in_flight",
        "payments",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'automatic' AND status IN ('open', 'processing')"),
    )
    op.create_table(
        "payment_disputes",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("status", _one_of("disputestatus", "open", "won", "lost"), nullable=False),
        sa.Column("taken_micros", sa.BigInteger(), nullable=False),
        sa.Column("absorbed_micros", sa.BigInteger(), nullable=False),
        _created(),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint(
            "(status = 'open') = (closed_at IS NULL)",
            name=op.f("ck_payment_disputes_closed_has_time"),
        ),
        sa.CheckConstraint(
            "taken_micros >= 0 AND absorbed_micros >= 0",
            name=op.f("ck_payment_disputes_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_payment_disputes_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_disputes")),
    )
    op.create_index(op.f("ix_payment_disputes_payment_id"), "payment_disputes", ["payment_id"])


def _add_what_stripe_tells() -> None:
    op.create_table(
        "stripe_events",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("happened_at", sa.DateTime(timezone=True), nullable=False),
        _created(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stripe_events")),
    )
    op.create_table(
        "billing_accounts",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("stripe_customer_id", sa.Text()),
        sa.Column("card_id", sa.Text()),
        sa.Column("card_brand", sa.Text()),
        sa.Column("card_last4", sa.Text()),
        sa.Column("top_up_is_on", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("top_up_below_micros", sa.BigInteger()),
        sa.Column("top_up_micros", sa.BigInteger()),
        sa.Column("top_up_monthly_micros", sa.BigInteger()),
        sa.Column("top_up_failures", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("top_up_off_reason", sa.Text()),
        _created(),
        sa.CheckConstraint(
            "NOT top_up_is_on OR card_id IS NOT NULL AND top_up_below_micros IS NOT NULL"
            " AND top_up_micros IS NOT NULL AND top_up_monthly_micros IS NOT NULL",
            name=op.f("ck_billing_accounts_on_is_complete"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_billing_accounts_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_billing_accounts")),
        sa.UniqueConstraint(
            "stripe_customer_id", name=op.f("uq_billing_accounts_stripe_customer_id")
        ),
    )
    op.create_index(
        "ix_billing_accounts_top_up",
        "billing_accounts",
        ["user_id"],
        postgresql_where=sa.text("top_up_is_on"),
    )


def _one_of(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def _created() -> sa.Column[object]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def downgrade() -> None:
    """Entries of the new kinds are in the way, and rightly so: the books are never shortened."""
    for table in ("billing_accounts", "stripe_events", "payment_disputes", "payments"):
        op.drop_table(table)
    _set_kinds(KINDS, SIGNS)
    op.drop_column("transactions", "promotional_micros")
    op.drop_column("users", "credits_promotional_micros")
    op.drop_constraint(op.f("ck_users_frozen_has_reason"), "users")
