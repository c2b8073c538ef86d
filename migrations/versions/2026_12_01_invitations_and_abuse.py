"""Keep invitations, a waiting list, what speaks against users, and lists of admins."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "e93a5d07c1b8"
down_revision = "7d20c9e4b8f1"
branch_labels = None
depends_on = None

# By the constraint that lists the codes: its table and column, and what is new.
CODES = {
    "ck_admin_actions_adminactionkind": (
        *("admin_actions", "kind"),
        ("invitation_made", "invitation_ended", "waiting_invited", "rule_set", "rule_ended"),
    ),
    "ck_emails_letterkind": ("emails", "kind", ("waiting_listed", "invitation")),
    "ck_free_credit_refusals_refusalreason": (
        *("free_credit_refusals", "reason"),
        ("held", "listed"),
    ),
}
CREDIT_TABLES = ("free_credit_claims", "free_credit_refusals")


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    for name, (table, column, added) in CODES.items():
        _allow(name, table, column, (*_allowed(name), *added))
    _create_invitations()
    _create_abuse()
    op.add_column("sign_ups", sa.Column("invitation_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(
        op.f("fk_sign_ups_invitation_id"),
        *("sign_ups", "invitations", ["invitation_id"], ["id"]),
        ondelete="SET NULL",
    )
    op.add_column("billing_accounts", sa.Column("card_fingerprint", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_billing_accounts_card_fingerprint"), "billing_accounts", ["card_fingerprint"]
    )
    for table in CREDIT_TABLES:
        op.create_index(f"ix_{table}_created_at", table, ["created_at"])


def downgrade() -> None:
    for table in CREDIT_TABLES:
        op.drop_index(f"ix_{table}_created_at", table_name=table)
    op.drop_index(op.f("ix_billing_accounts_card_fingerprint"), table_name="billing_accounts")
    op.drop_column("billing_accounts", "card_fingerprint")
    op.drop_constraint(op.f("fk_sign_ups_invitation_id"), "sign_ups", type_="foreignkey")
    op.drop_column("sign_ups", "invitation_id")
    for table in ("shared_devices", "abuse_scores", "access_rules"):
        op.drop_table(table)
    for table in ("waiting_addresses", "invitation_uses", "invitations"):
        op.drop_table(table)
    op.execute("DELETE FROM emails WHERE kind IN ('waiting_listed', 'invitation')")
    op.execute("DELETE FROM free_credit_refusals WHERE reason IN ('held', 'listed')")
    for name, (table, column, added) in CODES.items():
        _allow(name, table, column, tuple(one for one in _allowed(name) if one not in added))


def _allowed(constraint: str) -> tuple[str, ...]:
    """Read which codes are allowed now: other migrations add to them too."""
    written = sa.text("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = :name")
    found = op.get_bind().scalar(written, {"name": constraint})
    return tuple(dict.fromkeys(re.findall(r"'([a-z_]+)'", str(found))))


def _allow(constraint: str, table: str, column: str, codes: tuple[str, ...]) -> None:
    name = op.f(constraint)
    op.drop_constraint(name, table, type_="check")
    op.create_check_constraint(name, table, sa.column(column).in_(codes))


def _create_invitations() -> None:
    op.create_table(
        "invitations",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("uses_max", sa.BigInteger(), nullable=False),
        sa.Column("uses", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("bonus_micros", sa.BigInteger(), server_default="0", nullable=False),
        _moment("expires_at"),
        _moment("ended_at"),
        _created(),
        sa.CheckConstraint("uses_max > 0", name=op.f("ck_invitations_uses_max_positive")),
        sa.CheckConstraint(
            "uses BETWEEN 0 AND uses_max", name=op.f("ck_invitations_uses_within_max")
        ),
        sa.CheckConstraint("bonus_micros >= 0", name=op.f("ck_invitations_bonus_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint("code", name=op.f("uq_invitations_code")),
    )
    op.create_table(
        "invitation_uses",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        _created(),
        _of_user("invitation_uses", "user_id"),
        _of_invitation("invitation_uses"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_invitation_uses")),
    )
    op.create_table(
        "waiting_addresses",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        _moment("invited_at"),
        sa.Column("invitation_id", sa.Uuid(), nullable=True),
        _created(),
        _of_invitation("waiting_addresses"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waiting_addresses")),
        sa.UniqueConstraint("address", name=op.f("uq_waiting_addresses_address")),
    )
    for table in ("invitation_uses", "waiting_addresses"):
        op.create_index(op.f(f"ix_{table}_invitation_id"), table, ["invitation_id"])
    op.create_index(
        "ix_waiting_addresses_waits",
        "waiting_addresses",
        ["id"],
        postgresql_where=sa.text("invited_at IS NULL"),
    )


def _create_abuse() -> None:
    op.create_table(
        "access_rules",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "subject_kind", _codes("subjectkind", "network", "domain", "user"), nullable=False
        ),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("shown", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=True),
        sa.Column("verdict", _codes("verdict", "allow", "hold", "block"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        _created(),
        _moment("ended_at"),
        sa.CheckConstraint(
            "(subject_kind = 'user') = (user_id IS NOT NULL)",
            name=op.f("ck_access_rules_user_has_id"),
        ),
        _of_user("access_rules", "user_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_rules")),
    )
    op.create_index(op.f("ix_access_rules_user_id"), "access_rules", ["user_id"])
    op.create_index(
        "uq_access_rules_subject",
        "access_rules",
        ["subject_kind", "subject"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_table(
        "abuse_scores",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("scored_at", sa.DateTime(timezone=True), nullable=False),
        _of_user("abuse_scores", "user_id"),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_abuse_scores")),
    )
    op.create_index("ix_abuse_scores_score", "abuse_scores", [sa.text("score DESC"), "user_id"])
    op.create_table(
        "shared_devices",
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("other_user_id", sa.Uuid(), nullable=False),
        _created(),
        _of_user("shared_devices", "user_id"),
        _of_user("shared_devices", "other_user_id"),
        sa.PrimaryKeyConstraint("user_id", "other_user_id", name=op.f("pk_shared_devices")),
    )
    op.create_index(op.f("ix_shared_devices_other_user_id"), "shared_devices", ["other_user_id"])


def _codes(name: str, *codes: str) -> sa.Enum:
    return sa.Enum(*codes, name=name, native_enum=False, create_constraint=True, length=32)


def _moment(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=True)


def _created() -> sa.Column[object]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )


def _of_user(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        [column], ["users.id"], name=op.f(f"fk_{table}_{column}"), ondelete="CASCADE"
    )


def _of_invitation(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["invitation_id"], ["invitations.id"], name=op.f(f"fk_{table}_invitation_id")
    )
