"""Know each refund of a payment by itself: one that fails at Stripe gives back what it took."""

import sqlalchemy as sa
from alembic import op

revision = "4a81d6e3f072"
down_revision = "9c5e20b7d4f1"
branch_labels = None
depends_on = None

# Until now only the sum of a payment's refunds was known.
KEEP_SUMS = """
    INSERT INTO payment_refunds (id, payment_id, back_micros, taken_micros, absorbed_micros)
    SELECT 'before:' || id, id, ceil(returned_micros::numeric * charged_micros / amount_micros),
           returned_micros - absorbed_micros, absorbed_micros
    FROM payments WHERE returned_micros > 0
"""


def upgrade() -> None:
    op.create_table(
        "payment_refunds",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("back_micros", sa.BigInteger(), nullable=False),
        sa.Column("taken_micros", sa.BigInteger(), nullable=False),
        sa.Column("absorbed_micros", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("failed_at", sa.DateTime(timezone=True)),
        sa.CheckConstraint("back_micros > 0", name=op.f("ck_payment_refunds_back_positive")),
        sa.CheckConstraint(
            "taken_micros >= 0 AND absorbed_micros >= 0",
            name=op.f("ck_payment_refunds_not_negative"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_payment_refunds_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_payment_refunds")),
    )
    op.create_index(op.f("ix_payment_refunds_payment_id"), "payment_refunds", ["payment_id"])
    op.execute(KEEP_SUMS)


def downgrade() -> None:
    op.drop_table("payment_refunds")
