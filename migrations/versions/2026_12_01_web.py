"""Let the web be searched for an answer, and keep what the answer was made from."""

import sqlalchemy as sa
from alembic import op

revision = "c2a87f5e1d30"
down_revision = "d91b3f60a7c4"
branch_labels = None
depends_on = None

KINDS = "ck_model_calls_callkind"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.drop_constraint(op.f(KINDS), "model_calls")
    # Every row fits already, as the new list only adds to the old one: nothing is read under the
    # lock.
    op.execute(
        f"ALTER TABLE model_calls ADD CONSTRAINT {KINDS}"
        " CHECK (kind IN ('answer', 'transcription', 'search')) NOT VALID"
    )
    op.create_table(
        "answer_sources",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column("job_id", sa.Uuid(), nullable=False),
        sa.Column("attempt", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("is_read", sa.Boolean(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        *(
            sa.ForeignKeyConstraint(
                [f"{one}_id"],
                [f"{one}s.id"],
                name=op.f(f"fk_answer_sources_{one}_id"),
                ondelete="CASCADE",
            )
            for one in ("user", "message", "job")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_answer_sources")),
        *(
            sa.UniqueConstraint(
                "job_id", "attempt", one, name=op.f(f"uq_answer_sources_job_id_attempt_{one}")
            )
            for one in ("number", "url")
        ),
    )
    for one in ("user_id", "message_id"):
        op.create_index(op.f(f"ix_answer_sources_{one}"), "answer_sources", [one])
    op.create_table(
        "research_requests",
        sa.Column("message_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["message_id"],
            ["messages.id"],
            name=op.f("fk_research_requests_message_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_research_requests")),
    )


def downgrade() -> None:
    # What was charged or held for a search stays in the books, so its call cannot go.
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM model_calls WHERE kind = 'search') THEN
                RAISE EXCEPTION 'the web was searched: these calls are of no older kind';
            END IF;
        END $$
    """)
    op.drop_table("research_requests")
    op.drop_table("answer_sources")
    op.drop_constraint(op.f(KINDS), "model_calls")
    op.create_check_constraint(op.f(KINDS), "model_calls", "kind IN ('answer', 'transcription')")
