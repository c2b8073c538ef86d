"""A user asks for all that is theirs."""

from sqlalchemy.orm import Session

from actions import wakeups
from models import ledger
from models.archives import exports
from models.database import after_commit
from models.schema.archives import Export
from models.schema.users import User


def ask(db: Session, user: User) -> Export:
    """Have an archive put together by a worker, which hears of it after the commit.

    Refuses what `exports.ask` refuses.
    """
    ledger.lock_account(db, user.id)
    export = exports.ask(db, user.id)
    after_commit(db, wakeups.export)
    return export
