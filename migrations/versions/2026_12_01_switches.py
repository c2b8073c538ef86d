"""Keep switches that admins change while the product runs, and log what is about no account."""

import re

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c0a7e4d2f916"
down_revision = "4b1d7c0e9a52"
branch_labels = None
depends_on = None

ADDED = {"switches_changed", "claiming_paused", "claiming_resumed"}


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    _allow(_allowed() | ADDED)
    op.alter_column("admin_actions", "user_id", nullable=True)
    op.create_table(
        "switch_versions",
        sa.Column("version", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "switches",
            postgresql.JSONB(astext_type=sa.Text()),
            server_default="{}",
            nullable=False,
        ),
        sa.Column("admin_id", sa.Uuid(), nullable=False),
        sa.Column("admin_email", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_switch_versions")),
    )
    op.execute(
        "CREATE TRIGGER switch_versions_append_only BEFORE UPDATE OR DELETE ON switch_versions"
        " FOR EACH ROW EXECUTE FUNCTION refuse_change()"
    )


def downgrade() -> None:
    # The log is append-only: what it says of switches cannot go, and so neither can they.
    op.execute("""
        DO $$ BEGIN
            IF EXISTS (SELECT FROM admin_actions WHERE user_id IS NULL) THEN
                RAISE EXCEPTION 'the audit log names switches: they cannot be taken back';
            END IF;
        END $$
    """)
    op.drop_table("switch_versions")
    op.alter_column("admin_actions", "user_id", nullable=False)
    _allow(_allowed() - ADDED)


def _allowed() -> set[str]:
    """Return the kinds that are allowed as it is, whatever came before."""
    definition = sa.text(
        "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conname = 'ck_admin_actions_adminactionkind'"
    )
    return set(re.findall(r"'([a-z_]+)'::", op.get_bind().execute(definition).scalar_one()))


def _allow(kinds: set[str]) -> None:
    name = op.f("ck_admin_actions_adminactionkind")
    op.drop_constraint(name, "admin_actions", type_="check")
    op.create_check_constraint(name, "admin_actions", sa.column("kind").in_(sorted(kinds)))
