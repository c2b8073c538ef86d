"""Keep what users take along, and the files that they bring."""

import sqlalchemy as sa
from alembic import op

revision = "9e41b7d03c58"
down_revision = "c7d2f1a84e36"
branch_labels = None
depends_on = None

EXPORT = ("waiting", "ready", "failed")
IMPORTED = ("waiting", "placed", "set_aside")


def _created() -> sa.Column[object]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _status(*members: str, name: str) -> sa.Column[str]:
    kinds = sa.Enum(*members, name=name, native_enum=False, create_constraint=True, length=32)
    return sa.Column("status", kinds, nullable=False)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "exports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        _status(*EXPORT, name="exportstatus"),
        sa.Column("attempts", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("storage_key", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), server_default="0", nullable=False),
        _created(),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_exports_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_exports")),
    )
    op.create_index(op.f("ix_exports_user_id"), "exports", ["user_id"])
    op.create_index(
        "uq_exports_waiting",
        "exports",
        ["user_id"],
        unique=True,
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "imported_files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("storage_key", sa.Text(), nullable=False),
        _status(*IMPORTED, name="importedstatus"),
        sa.Column("job_id", sa.Uuid(), nullable=True),
        _created(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_imported_files_user_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["job_id"], ["jobs.id"], name=op.f("fk_imported_files_job_id"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_imported_files")),
        sa.UniqueConstraint("storage_key", name=op.f("uq_imported_files_storage_key")),
        sa.UniqueConstraint("user_id", "path", name=op.f("uq_imported_files_user_id_path")),
    )


def downgrade() -> None:
    op.drop_table("imported_files")
    op.drop_table("exports")
