"""Keep what admins order for many jobs, adjustments that wait for a second one, and refunds."""

import re

import sqlalchemy as sa
from alembic import op

revision = "e47c1a95d380"
down_revision = "d91b3f60a7c4"
branch_labels = None
depends_on = None

ADDED = {
    *("jobs_cancelled", "jobs_retried", "adjustment_asked", "adjustment_approved"),
    *("adjustment_refused", "refund_ordered", "limits_reset", "cell_destroyed"),
    *("snapshot_restored", "deletion_ordered", "deletion_undone", "worker_drained"),
}
ACTIONS, LETTERS = "ck_admin_actions_adminactionkind", "ck_emails_letterkind"
LETTER = "account_deletion"
STATES = ("pending", "paused", "running", "completed", "failed", "cancelled")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow("admin_actions", ACTIONS, "kind", _allowed(ACTIONS) | ADDED)
    _allow("emails", LETTERS, "kind", _allowed(LETTERS) | {LETTER})
    _create_bulk_orders()
    _create_adjustments()
    _create_refund_orders()
    op.add_column("users", sa.Column("deletion_due_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("users", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_users_deletion_due_at",
        "users",
        ["deletion_due_at"],
        postgresql_where=sa.text("deletion_due_at IS NOT NULL"),
    )
    op.add_column("users", sa.Column("cell_ended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("workers", sa.Column("drain_asked_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    # The log is append-only: what it says of these cannot go, and so neither can they.
    op.execute(
        sa.text("""
            DO $$ BEGIN
                IF EXISTS (SELECT FROM bulk_orders) OR EXISTS (SELECT FROM pending_adjustments)
                   OR EXISTS (SELECT FROM refund_orders)
                   OR EXISTS (SELECT FROM users WHERE deleted_at IS NOT NULL) THEN
                    RAISE EXCEPTION 'admins have given orders: they cannot be taken back';
                END IF;
            END $$
        """)
    )
    op.drop_column("workers", "drain_asked_at")
    op.drop_index(
        "ix_users_deletion_due_at",
        table_name="users",
        postgresql_where=sa.text("deletion_due_at IS NOT NULL"),
    )
    for name in ("cell_ended_at", "deleted_at", "deletion_due_at"):
        op.drop_column("users", name)
    for table in ("refund_orders", "pending_adjustments", "bulk_orders"):
        op.drop_table(table)
    op.execute(sa.text("DELETE FROM emails WHERE kind = :kind").bindparams(kind=LETTER))
    _allow("emails", LETTERS, "kind", _allowed(LETTERS) - {LETTER})
    _allow("admin_actions", ACTIONS, "kind", _allowed(ACTIONS) - ADDED)


def _create_bulk_orders() -> None:
    op.create_table(
        "bulk_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", _codes("bulkkind", ("cancel", "retry")), nullable=False),
        sa.Column("state", _codes("jobstatus", STATES), nullable=True),
        sa.Column("code", sa.String(32), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("before_id", sa.Uuid(), nullable=False),
        sa.Column("shown", sa.BigInteger(), nullable=False),
        sa.Column("done", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("skipped", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("admin_id", sa.Uuid(), nullable=False),
        _created(),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bulk_orders")),
    )
    op.create_index(
        "ix_bulk_orders_open",
        "bulk_orders",
        ["id"],
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def _create_adjustments() -> None:
    op.create_table(
        "pending_adjustments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("amount_micros", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "status", _codes("adjustmentstatus", ("asked", "approved", "refused")), nullable=False
        ),
        sa.Column("asked_by_id", sa.Uuid(), nullable=False),
        sa.Column("asked_by_email", sa.Text(), nullable=False),
        sa.Column("decided_by_id", sa.Uuid(), nullable=True),
        _created(),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "amount_micros <> 0", name=op.f("ck_pending_adjustments_amount_not_zero")
        ),
        sa.CheckConstraint(
            "(status = 'asked') = (decided_at IS NULL AND decided_by_id IS NULL)",
            name=op.f("ck_pending_adjustments_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "status <> 'approved' OR decided_by_id <> asked_by_id",
            name=op.f("ck_pending_adjustments_approved_by_another"),
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["users.id"],
            name=op.f("fk_pending_adjustments_user_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_adjustments")),
    )
    op.create_index(op.f("ix_pending_adjustments_user_id"), "pending_adjustments", ["user_id"])
    op.create_index(
        "ix_pending_adjustments_asked",
        "pending_adjustments",
        ["created_at"],
        postgresql_where=sa.text("status = 'asked'"),
    )


def _create_refund_orders() -> None:
    statuses = ("ordered", "accepted", "refused", "lost")
    op.create_table(
        "refund_orders",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("back_micros", sa.BigInteger(), nullable=False),
        sa.Column("status", _codes("refundorderstatus", statuses), nullable=False),
        sa.Column("stripe_refund_id", sa.Text(), nullable=True),
        sa.Column("admin_id", sa.Uuid(), nullable=False),
        _created(),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("back_micros > 0", name=op.f("ck_refund_orders_back_positive")),
        sa.CheckConstraint(
            "(status = 'accepted') = (stripe_refund_id IS NOT NULL)",
            name=op.f("ck_refund_orders_accepted_has_id"),
        ),
        sa.ForeignKeyConstraint(
            ["payment_id"], ["payments.id"], name=op.f("fk_refund_orders_payment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_orders")),
        sa.UniqueConstraint("stripe_refund_id", name=op.f("uq_refund_orders_stripe_refund_id")),
    )
    op.create_index(op.f("ix_refund_orders_payment_id"), "refund_orders", ["payment_id"])
    op.create_index(
        "ix_refund_orders_open",
        "refund_orders",
        ["id"],
        postgresql_where=sa.text("status = 'ordered'"),
    )


def _codes(name: str, codes: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*codes, name=name, native_enum=False, create_constraint=True, length=32)


def _created() -> sa.Column[object]:
    return sa.Column(
        "created_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("now()"),
        nullable=False,
    )


def _allowed(constraint: str) -> set[str]:
    """Return the codes that are allowed as it is, whatever came before."""
    definition = sa.text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name"
    ).bindparams(name=constraint)
    return set(re.findall(r"'([a-z_]+)'::", op.get_bind().execute(definition).scalar_one()))


def _allow(table: str, constraint: str, column: str, codes: set[str]) -> None:
    name = op.f(constraint)
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, sa.column(column).in_(sorted(codes)))
