"""Say by a code why a charge was given back or a cost absorbed, and keep which charges stand."""

import sqlalchemy as sa
from alembic import op

revision = "5b8e02d47a16"
down_revision = "8e1d5b60f3a9"
branch_labels = None
depends_on = None

REASONS = (
    "job_failed",
    "nothing_shown",
    "begun_again",
    "out_of_credit",
    "worker_lost",
    "call_lost",
    "late_call",
    "beyond_hold",
    "credits_gone",
    "credits_back",
    "by_hand",
)
# Until now the reason was a sentence in the note, or followed from the reference.
BACKFILL = """
    ALTER TABLE transactions DISABLE TRIGGER transactions_append_only;
    UPDATE transactions AS entry SET
        reason = CASE
            WHEN kind = 'refund' THEN CASE note
                WHEN 'The answer was begun again.' THEN 'begun_again'
                WHEN 'The worker stopped; the answer was begun again.' THEN 'worker_lost'
                WHEN 'It begins again once there are credits.' THEN 'out_of_credit'
                ELSE 'job_failed' END
            WHEN reference LIKE 'undone:absorbed:%' THEN 'credits_back'
            WHEN reference LIKE 'absorbed:call:%' THEN 'beyond_hold'
            WHEN reference LIKE 'absorbed:%' THEN 'credits_gone'
            WHEN EXISTS (
                SELECT 1 FROM model_calls AS call
                WHERE 'call:' || call.id = entry.reference AND call.status = 'lost'
            ) THEN 'call_lost'
            ELSE 'late_call' END,
        carried_micros = CASE kind
            WHEN 'refund' THEN coalesce((
                SELECT charge.provider_cost_micros FROM transactions AS charge
                WHERE charge.reference = 'call:' || substr(entry.reference, 8)), 0)
            ELSE coalesce(provider_cost_micros, 0) END
    WHERE kind IN ('refund', 'absorbed');
    ALTER TABLE transactions ENABLE TRIGGER transactions_append_only;
"""


IS_A_REASON = f"reason IN ({', '.join(map(repr, REASONS))})"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("transactions", sa.Column("reason", sa.String(32), nullable=True))
    op.add_column(
        "transactions",
        sa.Column("carried_micros", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.add_column("transactions", sa.Column("cap_micros", sa.BigInteger(), nullable=True))
    op.execute(BACKFILL)
    op.create_check_constraint(op.f("ck_transactions_writeoffreason"), "transactions", IS_A_REASON)
    op.create_check_constraint(
        op.f("ck_transactions_write_off_has_reason"),
        "transactions",
        "(kind IN ('refund', 'absorbed')) = (reason IS NOT NULL)",
    )
    op.create_index(
        "ix_transactions_written_off",
        "transactions",
        ["user_id", "created_at"],
        postgresql_where=sa.text("reason IS NOT NULL"),
    )
    _add_standing_charges()
    _name_alerts("'day', 'month', 'balance', 'absorbed'")


def downgrade() -> None:
    op.execute("DELETE FROM alerts WHERE kind = 'absorbed'")
    _name_alerts("'day', 'month', 'balance'")
    op.drop_table("standing_charges")
    op.drop_index("ix_transactions_written_off", "transactions")
    for name in ("write_off_has_reason", "writeoffreason"):
        op.drop_constraint(op.f(f"ck_transactions_{name}"), "transactions")
    for column in ("cap_micros", "carried_micros", "reason"):
        op.drop_column("transactions", column)


def _add_standing_charges() -> None:
    op.create_table(
        "standing_charges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("charged_micros", sa.BigInteger(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("given_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(IS_A_REASON, name=op.f("ck_standing_charges_writeoffreason")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_standing_charges_user_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_standing_charges")),
        sa.UniqueConstraint("call_id", name=op.f("uq_standing_charges_call_id")),
    )
    op.create_index(op.f("ix_standing_charges_job_id"), "standing_charges", ["job_id"])
    op.create_index(
        "ix_standing_charges_user_id_created_at", "standing_charges", ["user_id", "created_at"]
    )


def _name_alerts(kinds: str) -> None:
    op.drop_constraint(op.f("ck_alerts_alertkind"), "alerts")
    op.create_check_constraint(op.f("ck_alerts_alertkind"), "alerts", f"kind IN ({kinds})")
