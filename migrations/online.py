"""Changes of large tables for which nobody waits."""

from collections.abc import Sequence

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
    if context._in_external_transaction:  # pyright: ignore[reportPrivateUsage]
        op.create_index(
            name,
            table,
            columns,
            unique=False,
            postgresql_using=using,
            postgresql_where=condition,
        )
        return
    with context.autocommit_block():
        # It waits for whoever writes just now, and lets others write meanwhile.
        op.execute("SET lock_timeout = '60s'")
        op.create_index(
            name,
            table,
            columns,
            unique=False,
            postgresql_using=using,
            postgresql_where=condition,
            postgresql_concurrently=True,
            if_not_exists=True,
        )
        op.execute("RESET lock_timeout")
