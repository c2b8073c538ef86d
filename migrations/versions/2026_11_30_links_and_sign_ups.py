"""Keep which browser asked for a link, let a change of address be undone, and sign up by mail."""

import sqlalchemy as sa
from alembic import op

revision = "8e1d5b60f3a9"
down_revision = "c41f7be2905d"
branch_labels = None
depends_on = None

PURPOSES = ("verification", "password_reset", "address_change")
KINDS = (
    *("verification", "password_reset", "password_changed", "address_change", "address_changed"),
    *("receipt", "alert"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow("mailed_links", "linkpurpose", "purpose", (*PURPOSES, "address_undo"))
    _allow(
        "emails", "letterkind", "kind", (*KINDS, "sign_up", "sign_up_known", "address_change_asked")
    )
    op.add_column("mailed_links", sa.Column("session_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_mailed_links_session_id"),
        "mailed_links",
        "user_sessions",
        ["session_id"],
        ["id"],
        ondelete="CASCADE",
    )
    op.create_index(op.f("ix_mailed_links_session_id"), "mailed_links", ["session_id"])
    _create_sign_ups()


def _create_sign_ups() -> None:
    time = sa.DateTime(timezone=True)
    op.create_table(
        "sign_ups",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), server_default="", nullable=False),
        sa.Column("timezone", sa.Text(), server_default="UTC", nullable=False),
        sa.Column("needs", sa.Text(), server_default="", nullable=False),
        sa.Column("secret_hash", sa.Text(), nullable=False),
        sa.Column("is_mail_due", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("confirmed_at", time, nullable=True),
        sa.Column("continued_at", time, nullable=True),
        sa.Column("expires_at", time, nullable=False),
        sa.Column("created_at", time, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_sign_ups_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_ups")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_sign_ups_secret_hash")),
    )
    op.create_index(op.f("ix_sign_ups_user_id"), "sign_ups", ["user_id"])
    op.create_index("ix_sign_ups_expires_at", "sign_ups", ["expires_at"])
    op.create_index(
        "ix_sign_ups_mail_due", "sign_ups", ["id"], postgresql_where=sa.text("is_mail_due")
    )


def downgrade() -> None:
    op.drop_table("sign_ups")
    op.drop_index(op.f("ix_mailed_links_session_id"), table_name="mailed_links")
    op.drop_constraint(op.f("fk_mailed_links_session_id"), "mailed_links")
    op.drop_column("mailed_links", "session_id")
    # Links and letters of the new kinds are about changes that can no longer be undone.
    op.execute("DELETE FROM mailed_links WHERE purpose = 'address_undo'")
    op.execute(
        "DELETE FROM emails WHERE kind IN ('sign_up', 'sign_up_known', 'address_change_asked')"
    )
    _allow("mailed_links", "linkpurpose", "purpose", PURPOSES)
    _allow("emails", "letterkind", "kind", KINDS)


def _allow(table: str, name: str, column: str, values: tuple[str, ...]) -> None:
    op.drop_constraint(op.f(f"ck_{table}_{name}"), table, type_="check")
    op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, sa.column(column).in_(values))
