"""Let a model be called without a job, to transcribe a recording, and keep what it heard."""

import sqlalchemy as sa
from alembic import op

revision = "7a3e9d10c5b6"
down_revision = "7e1e92a4d0c3"
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


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "model_calls",
        sa.Column("kind", sa.String(32), server_default="answer", nullable=False),
    )
    op.create_check_constraint(
        op.f("ck_model_calls_callkind"), "model_calls", "kind IN ('answer', 'transcription')"
    )
    op.alter_column("model_calls", "job_id", nullable=True)
    op.create_check_constraint(
        op.f("ck_model_calls_answer_has_job"),
        "model_calls",
        "(kind = 'transcription') = (job_id IS NULL)",
    )
    _name_reasons((*REASONS, "nothing_heard"))
    _add_transcriptions()


def downgrade() -> None:
    # What was charged or held for a transcription stays in the books, so its call cannot go.
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM model_calls WHERE kind = 'transcription') THEN
                RAISE EXCEPTION 'recordings were transcribed: their calls have no job';
            END IF;
        END $$
    """)
    op.drop_table("transcriptions")
    _name_reasons(REASONS)
    for name in ("answer_has_job", "callkind"):
        op.drop_constraint(op.f(f"ck_model_calls_{name}"), "model_calls")
    op.alter_column("model_calls", "job_id", nullable=False)
    op.drop_column("model_calls", "kind")


def _name_reasons(reasons: tuple[str, ...]) -> None:
    names = ", ".join(map(repr, reasons))
    for table in ("transactions", "standing_charges"):
        name = op.f(f"ck_{table}_writeoffreason")
        op.drop_constraint(name, table)
        op.create_check_constraint(name, table, f"reason IN ({names})")


def _add_transcriptions() -> None:
    op.create_table(
        "transcriptions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("call_id", sa.Uuid(), nullable=False),
        sa.Column("duration_ms", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_transcriptions_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["call_id"], ["model_calls.id"], name=op.f("fk_transcriptions_call_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transcriptions")),
        sa.UniqueConstraint("call_id", name=op.f("uq_transcriptions_call_id")),
        sa.UniqueConstraint("user_id", "key", name=op.f("uq_transcriptions_user_id_key")),
    )
    op.create_index(
        "ix_transcriptions_readable",
        "transcriptions",
        ["created_at"],
        postgresql_where=sa.text("text IS NOT NULL"),
    )
