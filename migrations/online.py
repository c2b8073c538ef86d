"""Changes of large tables for which nobody waits."""

from collections.abc import Sequence
from functools import partial

import sqlalchemy as sa
from alembic import op


def create_index(
    name: str,
    table: str,
    columns: Sequence[str | sa.TextClause],
    *,
    using: str = "btree",
    where: str | None = None,
) -> None:
    """Make an index while the table is written to; the migration is committed up to here first.

    Broken off, it leaves an index that is not valid: drop that, and migrate again. Where somebody
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
        create(postgresql_concurrently=True, if_not_exists=True)
        op.execute("RESET lock_timeout")


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
