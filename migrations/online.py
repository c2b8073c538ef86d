"""Changes of large tables for which nobody waits."""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from alembic import op

IS_VALID = sa.text("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)")


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    *,
    using: str = "btree",
    where: str | None = None,
) -> None:
    """Make an index while the table is written to; the migration is committed up to here first.

    Broken off, it leaves an index that is not valid; the next try drops that first. Where somebody
    else has begun the transaction, as tests do, it is made within it.
    """
    context, condition = op.get_context(), sa.text(where) if where else None
    create = partial(
        op.create_index,
        name,
        table,
        columns,
        unique=False,
        postgresql_using=using,
        postgresql_where=condition,
    )
    if context._in_external_transaction:  # pyright: ignore[reportPrivateUsage]
        create()
        return
    with context.autocommit_block():
        # It waits for whoever writes just now, and lets others write meanwhile.
        op.execute("SET lock_timeout = '60s'")
        if not context.as_sql:
            _drop_broken_off(name)
        create(postgresql_concurrently=True, if_not_exists=True)
        op.execute("RESET lock_timeout")


def _drop_broken_off(name: str) -> None:
    """Drop an index that nothing reads: its name is taken, so it would count as made already."""
    if op.get_bind().scalar(IS_VALID, {"name": name}) is False:
        op.drop_index(name, postgresql_concurrently=True)


def replace_check(table: str, name: str, condition: str) -> None:
    """Let a check say something else that holds of every row; nobody waits while rows are read.

    The migration is committed up to here first, as rows are read without the lock of the change.
    """
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    validate = f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}"
    context = op.get_context()
    if context._in_external_transaction:  # pyright: ignore[reportPrivateUsage]
        op.execute(validate)
        return
    with context.autocommit_block():
        op.execute("SET lock_timeout = '3s'")
        op.execute(validate)
        op.execute("RESET lock_timeout")
