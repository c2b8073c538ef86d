"""Know the roles of admins, log what they do, suspend accounts, and keep rolled-up numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "ad31c70b9e52"
down_revision = "7a3e9d10c5b6"
branch_labels = None
depends_on = None

NOTES = (
    *("payment_disputed", "dispute_won", "payment_refunded", "refund_failed", "grant_expired"),
    *("call_cut", "call_lost", "other"),
)
ROLES = ("owner", "support", "viewer")
ACTIONS = (
    *("credits_adjusted", "sending_suspended", "sending_resumed", "sign_in_suspended"),
    *("sign_in_resumed", "sessions_ended", "freeze_lifted", "verification_resent"),
    *("note_added", "job_retried", "job_cancelled"),
)
SUMS = (
    *("messages", "answered", "failed", "cancelled", "busy_ms", "revenue_micros"),
    *("free_credit_micros", "cost_micros", "given_back_micros", "absorbed_micros"),
    *("topped_up_micros", "top_ups", "refunds_micros", "gone_micros", "granted_micros"),
)
BRIN = (("users", "created_at"), ("jobs", "created_at"), ("jobs", "finished_at"))


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow((*NOTES, "by_admin"))
    op.add_column("users", sa.Column("admin_role", _codes("adminrole", ROLES), nullable=True))
    op.execute("UPDATE users SET admin_role = 'owner' WHERE is_admin")
    op.drop_column("users", "is_admin")
    for name in ("sending_suspended_at", "sign_in_suspended_at"):
        op.add_column("users", sa.Column(name, sa.DateTime(timezone=True), nullable=True))
    for table, column in (*BRIN, ("transactions", "created_at")):
        name = f"ix_{table}_{column}"
        op.create_index(name, table, [column], unique=False, postgresql_using="brin")
    op.create_index(
        "ix_jobs_failed",
        "jobs",
        ["failure_code", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'failed'"),
    )
    op.add_column("workers", sa.Column("version", sa.Text(), server_default="", nullable=False))
    _create_log()
    _create_rollups()


def downgrade() -> None:
    for table in ("rollup_runs", "user_days", "day_totals", "hour_totals", "admin_actions"):
        op.drop_table(table)
    for table, column in (*BRIN, ("transactions", "created_at")):
        op.drop_index(f"ix_{table}_{column}", table_name=table, postgresql_using="brin")
    op.drop_column("workers", "version")
    op.drop_index(
        "ix_jobs_failed", table_name="jobs", postgresql_where=sa.text("status = 'failed'")
    )
    op.add_column(
        "users", sa.Column("is_admin", sa.Boolean(), server_default="false", nullable=False)
    )
    op.execute("UPDATE users SET is_admin = true WHERE admin_role = 'owner'")
    for name in ("admin_role", "sending_suspended_at", "sign_in_suspended_at"):
        op.drop_column("users", name)
    _allow(NOTES)


def _codes(name: str, codes: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*codes, name=name, native_enum=False, create_constraint=True, length=32)


def _allow(notes: tuple[str, ...]) -> None:
    name = op.f("ck_transactions_entrynote")
    op.drop_constraint(name, "transactions", type_="check")
    op.create_check_constraint(name, "transactions", sa.column("note").in_(notes))


def _create_log() -> None:
    nothing = postgresql.JSONB(astext_type=sa.Text())
    op.create_table(
        "admin_actions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("admin_id", sa.Uuid(), nullable=False),
        sa.Column("admin_email", sa.Text(), nullable=False),
        sa.Column("admin_role", _codes("adminrole", ROLES), nullable=False),
        sa.Column("kind", _codes("adminactionkind", ACTIONS), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("before", nothing, server_default="{}", nullable=False),
        sa.Column("after", nothing, server_default="{}", nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("reason <> ''", name=op.f("ck_admin_actions_has_reason")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_admin_actions")),
        sa.UniqueConstraint("key", name=op.f("uq_admin_actions_key")),
    )
    op.create_index("ix_admin_actions_admin_id_id", "admin_actions", ["admin_id", "id"])
    op.create_index("ix_admin_actions_job_id", "admin_actions", ["job_id"])
    op.create_index("ix_admin_actions_user_id_id", "admin_actions", ["user_id", "id"])
    op.execute(
        "CREATE TRIGGER admin_actions_append_only BEFORE UPDATE OR DELETE ON admin_actions"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def _create_rollups() -> None:
    for table, counts in (
        ("hour_totals", ("sign_ups", "active_users")),
        ("day_totals", ("sign_ups", "active_users", "activated_users", "returned_users")),
    ):
        op.create_table(
            table,
            _begins(),
            *(_count(name) for name in (*counts, *SUMS)),
            sa.PrimaryKeyConstraint("begins_at", name=op.f(f"pk_{table}")),
        )
    op.create_table(
        "user_days",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _begins(),
        *(_count(name) for name in SUMS),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_user_days_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "begins_at", name=op.f("pk_user_days")),
    )
    op.create_index("ix_user_days_begins_at_user_id", "user_days", ["begins_at", "user_id"])
    op.create_table(
        "rollup_runs",
        sa.Column("rollup", _codes("rollup", ("hours", "days", "late")), nullable=False),
        sa.Column("rolled_until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("rollup", name=op.f("pk_rollup_runs")),
    )


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _begins() -> sa.Column[object]:
    return sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False)
