"""Let accounts at Google open accounts here, and let an account do without a password."""

import sqlalchemy as sa
from alembic import op

revision = "3d7f1a9c60e5"
down_revision = "0d84e6b1f25a"
branch_labels = None
depends_on = None

PURPOSES = ("verification", "password_reset", "address_change", "address_undo")
KINDS = (
    *("sign_up", "sign_up_known", "verification", "password_reset", "password_changed"),
    *("address_change", "address_change_asked", "address_changed", "receipt", "alert"),
)
NEW_KINDS = ("google_connection", "google_connected", "google_disconnected")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.alter_column("users", "password_hash", existing_type=sa.Text(), nullable=True)
    # That no password fits was an empty hash so far.
    op.execute("UPDATE users SET password_hash = NULL WHERE password_hash = ''")
    _allow("mailed_links", "linkpurpose", "purpose", (*PURPOSES, "google_connection"))
    _allow("emails", "letterkind", "kind", (*KINDS, *NEW_KINDS))
    time = sa.DateTime(timezone=True)
    now = sa.text("now()")
    op.create_table(
        "identities",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("created_at", time, server_default=now, nullable=False),
        sa.Column("last_used_at", time, server_default=now, nullable=False),
        sa.CheckConstraint("kind IN ('google')", name=op.f("ck_identities_identitykind")),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_identities_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_identities")),
        sa.UniqueConstraint("kind", "subject", name=op.f("uq_identities_kind_subject")),
        sa.UniqueConstraint("user_id", "kind", name=op.f("uq_identities_user_id_kind")),
    )


def downgrade() -> None:
    op.drop_table("identities")
    op.execute("DELETE FROM mailed_links WHERE purpose = 'google_connection'")
    op.execute(
        "DELETE FROM emails"
        " WHERE kind IN ('google_connection', 'google_connected', 'google_disconnected')"
    )
    _allow("mailed_links", "linkpurpose", "purpose", PURPOSES)
    _allow("emails", "letterkind", "kind", KINDS)
    # Who has no password chooses one by mail.
    op.execute("UPDATE users SET password_hash = '' WHERE password_hash IS NULL")
    op.alter_column("users", "password_hash", existing_type=sa.Text(), nullable=False)


def _allow(table: str, name: str, column: str, values: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column).in_(values))
