"""Keep secrets of authenticator apps and recovery codes, and which logins have shown a code."""

import re

import sqlalchemy as sa
from alembic import op

revision = "d91b3f60a7c4"
down_revision = "c0a7e4d2f916"
branch_labels = None
depends_on = None

LETTER = "two_factor_changed"


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.create_table(
        "two_factors",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_step", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("wrong_codes", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("wrong_since", sa.DateTime(timezone=True), nullable=True),
        _created(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_two_factors_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_two_factors")),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        _created(),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_recovery_codes_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
    )
    op.create_index(op.f("ix_recovery_codes_user_id"), "recovery_codes", ["user_id"])
    op.add_column(
        "user_sessions",
        sa.Column("awaits_code", sa.Boolean(), server_default="false", nullable=False),
    )
    op.add_column(
        "user_sessions", sa.Column("two_factor_at", sa.DateTime(timezone=True), nullable=True)
    )
    _allow(_allowed() | {LETTER})


def downgrade() -> None:
    op.execute(sa.text("DELETE FROM emails WHERE kind = :kind").bindparams(kind=LETTER))
    _allow(_allowed() - {LETTER})
    # Whoever still lacks a code would be logged in without it.
    op.execute("DELETE FROM user_sessions WHERE awaits_code")
    for name in ("two_factor_at", "awaits_code"):
        op.drop_column("user_sessions", name)
    op.drop_table("recovery_codes")
    op.drop_table("two_factors")


def _created() -> sa.Column[object]:
    return sa.Column(
        "created_at",
        sa.DateTime(timezone=True),
        server_default=sa.text("now()"),
        nullable=False,
    )


def _allowed() -> set[str]:
    """Return the kinds of letters that are allowed as it is, whatever came before."""
    definition = sa.text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ck_emails_letterkind'"
    )
    return set(re.findall(r"'([a-z_]+)'::", op.get_bind().execute(definition).scalar_one()))


def _allow(kinds: set[str]) -> None:
    # The name that it had when mails were called letters.
    name = op.f("ck_emails_letterkind")
    op.drop_constraint(name, "emails", type_="check")
    op.create_check_constraint(name, "emails", sa.column("kind").in_(sorted(kinds)))
