"""Keep which call an entry is of, and which entry it takes back, in columns of their own.

Until now both followed from the words of its reference. Each statement below goes through the table
once, with hash joins; the table is locked meanwhile, as by every column that is filled.
"""

import sqlalchemy as sa
from alembic import op

revision = "f6c93a0b7d24"
down_revision = "e2a7c15f9b48"
branch_labels = None
depends_on = None

UUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
# A reference that names no call that there is, of which only tests made some, gets none.
BACKFILL = (
    "ALTER TABLE transactions DISABLE TRIGGER transactions_append_only",
    f"""
    WITH named AS MATERIALIZED (
        SELECT id, kind, right(reference, 36)::uuid AS call_id FROM transactions
        WHERE reference ~ '^(call|refund|absorbed:call):{UUID}$'
    )
    UPDATE transactions AS entry SET call_id = call.id, reverses_id = charge.id
    FROM named
    JOIN model_calls AS call ON call.id = named.call_id
    LEFT JOIN named AS charge
           ON charge.call_id = named.call_id AND charge.kind = 'charge' AND named.kind = 'refund'
    WHERE entry.id = named.id
    """,  # only words of our own
    """
    UPDATE transactions AS entry SET reverses_id = taken.id
    FROM transactions AS taken
    WHERE entry.reference LIKE 'undone:%' AND taken.reference = substr(entry.reference, 8)
    """,
    "ALTER TABLE transactions ENABLE TRIGGER transactions_append_only",
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("transactions", sa.Column("call_id", sa.Uuid(), nullable=True))
    op.add_column("transactions", sa.Column("reverses_id", sa.Uuid(), nullable=True))
    for statement in BACKFILL:
        op.execute(statement)
    op.create_index(op.f("ix_transactions_call_id"), "transactions", ["call_id"])
    op.create_unique_constraint(
        op.f("uq_transactions_reverses_id"), "transactions", ["reverses_id"]
    )
    for table, column, other in (
        ("transactions", "call_id", "model_calls"),
        ("transactions", "reverses_id", "transactions"),
        ("standing_charges", "call_id", "model_calls"),
    ):
        op.create_foreign_key(op.f(f"fk_{table}_{column}"), table, other, [column], ["id"])


def downgrade() -> None:
    op.drop_constraint(op.f("fk_standing_charges_call_id"), "standing_charges")
    op.drop_column("transactions", "reverses_id")
    op.drop_column("transactions", "call_id")
