"""Add up by channel, model and month too, and keep the steps that users take."""

import sqlalchemy as sa
from alembic import op

revision = "c5e81f20a7d4"
down_revision = "4b1d7c0e9a52"
branch_labels = None
depends_on = None

ROLLUPS = ("hours", "days", "late")
TOTALS = ("hour_totals", "day_totals", "user_days")
NEW_SUMS = ("sign_up_granted_micros", "moved_micros", "moved_granted_micros")
SUMS = (
    *("messages", "answered", "failed", "cancelled", "busy_ms", "revenue_micros"),
    *("free_credit_micros", "cost_micros", "given_back_micros", "absorbed_micros"),
    *("topped_up_micros", "top_ups", "refunds_micros", "gone_micros", "granted_micros"),
    *NEW_SUMS,
)
USED = (
    *("calls", "tokens_in", "tokens_out", "tokens_cache_read", "tokens_cache_write"),
    *("cost_micros", "charged_micros"),
)
EVENTS = (
    *("signed_up", "verified", "onboarded", "first_message", "first_answer"),
    *("messenger_linked", "first_reminder", "first_top_up"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for table in TOTALS:
        for name in NEW_SUMS:
            op.add_column(table, _count(name))
    _allow((*ROLLUPS, "months", "events"))
    _create_split_days()
    _create_months()
    _create_events()
    # The clock adds all up anew, the new columns among them.
    op.execute("DELETE FROM rollup_runs")


def downgrade() -> None:
    for table in (
        "funnel_days",
        "product_events",
        "user_model_months",
        "cohort_months",
        "user_months",
    ):
        op.drop_table(table)
    op.drop_table("split_days")
    op.execute("DELETE FROM rollup_runs WHERE rollup IN ('months', 'events')")
    _allow(ROLLUPS)
    for table in TOTALS:
        for name in NEW_SUMS:
            op.drop_column(table, name)


def _allow(rollups: tuple[str, ...]) -> None:
    name = op.f("ck_rollup_runs_rollup")
    op.drop_constraint(name, "rollup_runs", type_="check")
    op.create_check_constraint(name, "rollup_runs", sa.column("rollup").in_(rollups))


def _create_split_days() -> None:
    op.create_table(
        "split_days",
        _moment("begins_at"),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        *(_count(name) for name in SUMS),
        sa.PrimaryKeyConstraint("begins_at", "channel", "model", name=op.f("pk_split_days")),
    )


def _create_months() -> None:
    op.create_table(
        "user_months",
        *_of_user("user_months"),
        *(_count(name) for name in (*SUMS, "stored_bytes")),
        sa.PrimaryKeyConstraint("user_id", "begins_at", name=op.f("pk_user_months")),
    )
    op.create_index("ix_user_months_begins_at_user_id", "user_months", ["begins_at", "user_id"])
    op.create_table(
        "cohort_months",
        *(_moment(name) for name in ("begins_at", "cohort_at")),
        *(_count(name) for name in ("active_users", "paying_users")),
        sa.PrimaryKeyConstraint("begins_at", "cohort_at", name=op.f("pk_cohort_months")),
    )
    op.create_table(
        "user_model_months",
        *_of_user("user_model_months"),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("margin_percent", sa.BigInteger(), nullable=False),
        *(_count(name) for name in USED),
        sa.PrimaryKeyConstraint(
            "user_id", "begins_at", "model", "margin_percent", name=op.f("pk_user_model_months")
        ),
    )
    op.create_index(
        "ix_user_model_months_begins_at_user_id", "user_model_months", ["begins_at", "user_id"]
    )


def _create_events() -> None:
    kinds = sa.Enum(
        *EVENTS, name="producteventkind", native_enum=False, create_constraint=True, length=32
    )
    op.create_table(
        "funnel_days",
        _moment("begins_at"),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("users", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("begins_at", "kind", name=op.f("pk_funnel_days")),
    )
    op.create_table(
        "product_events",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_of_user("product_events")[:1],
        sa.Column("kind", kinds, nullable=False),
        _moment("happened_at"),
        sa.Column("forwarded_at", sa.DateTime(timezone=True), nullable=True),
        *_of_user("product_events")[2:],
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_events")),
    )
    op.create_index(
        "uq_product_events_user_id_kind", "product_events", ["user_id", "kind"], unique=True
    )
    op.create_index("ix_product_events_kind_happened_at", "product_events", ["kind", "happened_at"])
    op.create_index(
        "ix_product_events_to_forward",
        "product_events",
        ["id"],
        postgresql_where=sa.text("forwarded_at IS NULL"),
    )


def _of_user(table: str) -> tuple[sa.Column[object] | sa.ForeignKeyConstraint, ...]:
    return (
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _moment("begins_at"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f(f"fk_{table}_user_id"), ondelete="CASCADE"
        ),
    )


def _count(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), server_default="0", nullable=False)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)
