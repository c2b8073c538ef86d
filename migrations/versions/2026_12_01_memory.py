"""Know what assistants have noted of their users, and forget single messages and notes."""

import sqlalchemy as sa
from alembic import op

revision = "5c2e8d1f0b63"
down_revision = "e47c1a95d380"
branch_labels = None
depends_on = None

AUTHORS = ("user", "assistant")
ACTIONS = ("added", "edited", "deleted", "restored")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column(
        "conversations",
        sa.Column("is_remembered", sa.Boolean(), server_default="true", nullable=False),
    )
    op.add_column(
        "conversations", sa.Column("forgotten_at", sa.DateTime(timezone=True), nullable=True)
    )
    _widen_erasures()
    _create_notes()
    _create_changes()


def downgrade() -> None:
    op.drop_table("memory_changes")
    op.drop_table("memory_notes")
    op.execute(
        "DELETE FROM erasures"
        " WHERE job_id IS NOT NULL OR (conversation_id IS NULL AND paths = '[]'::jsonb)"
    )
    op.drop_index("ix_erasures_conversation_id", "erasures")
    op.drop_column("erasures", "job_id")
    op.create_unique_constraint("uq_erasures_conversation_id", "erasures", ["conversation_id"])
    op.drop_column("conversations", "forgotten_at")
    op.drop_column("conversations", "is_remembered")


def _widen_erasures() -> None:
    """Let them be of a message or a note too; the table is nearly empty at any time."""
    op.drop_constraint("uq_erasures_conversation_id", "erasures")
    op.create_index("ix_erasures_conversation_id", "erasures", ["conversation_id"])
    op.add_column("erasures", sa.Column("job_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        "fk_erasures_job_id", "erasures", "jobs", ["job_id"], ["id"], ondelete="CASCADE"
    )


def _create_notes() -> None:
    op.create_table(
        "memory_notes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("author", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.Uuid(), nullable=True),
        sa.Column("message_id", sa.Uuid(), nullable=True),
        _created("noted_at"),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        _one_of("memory_notes", "noteauthor", "author", AUTHORS),
        _of("memory_notes", "user_id", "users", "CASCADE"),
        _of("memory_notes", "conversation_id", "conversations", "SET NULL"),
        _of("memory_notes", "message_id", "messages", "SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_memory_notes"),
    )
    op.create_index(
        "uq_memory_notes_user_id_number", "memory_notes", ["user_id", "number"], unique=True
    )
    op.create_index("ix_memory_notes_conversation_id", "memory_notes", ["conversation_id"])
    op.create_index("ix_memory_notes_message_id", "memory_notes", ["message_id"])
    op.create_index(
        "ix_memory_notes_deleted_at",
        "memory_notes",
        ["deleted_at"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )


def _create_changes() -> None:
    op.create_table(
        "memory_changes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("author", sa.String(32), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        _created("made_at"),
        _one_of("memory_changes", "noteaction", "action", ACTIONS),
        _one_of("memory_changes", "noteauthor", "author", AUTHORS),
        _of("memory_changes", "user_id", "users", "CASCADE"),
        _of("memory_changes", "note_id", "memory_notes", "CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_memory_changes"),
    )
    op.create_index("ix_memory_changes_user_id_id", "memory_changes", ["user_id", "id"])
    op.create_index("ix_memory_changes_note_id_id", "memory_changes", ["note_id", "id"])


def _created(name: str) -> sa.Column[object]:
    return sa.Column(
        name, sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _one_of(table: str, name: str, column: str, values: tuple[str, ...]) -> sa.CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return sa.CheckConstraint(f"{column} IN ({listed})", name=op.f(f"ck_{table}_{name}"))


def _of(table: str, column: str, parent: str, then: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}")
    return sa.ForeignKeyConstraint([column], [f"{parent}.id"], name=name, ondelete=then)
