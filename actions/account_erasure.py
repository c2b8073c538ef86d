"""Erases accounts whose time is over: what runs ends, then their files go, then their rows."""

from functools import lru_cache
from uuid import UUID

import structlog

from gateways.s3_files import Storage, StorageFailed
from models.database import unit_of_work
from models.people import account_deletion
from settings import get_settings

log = structlog.get_logger()

ERASED_AT_ONCE = 20
# Where everything of a user lies in storage.
PLACES = ("uploads/{}/", "answers/{}/", "imports/{}/", "exports/{}/", "state/{}/")


def erase_due() -> int:
    """Erase accounts that are due; return how many. What cannot be yet is tried the next time."""
    with unit_of_work() as db:
        due = account_deletion.list_due(db, ERASED_AT_ONCE)
    return sum(map(_erase, due))


def _erase(user_id: UUID) -> bool:
    with unit_of_work() as db:
        is_at_rest = account_deletion.close(db, user_id)
    if not is_at_rest:
        # A turn is being stopped, or its files are being saved.
        return False
    try:
        for place in PLACES:
            for key in _storage().list(place.format(user_id)):
                _storage().delete(key)
    except StorageFailed as error:
        log.warning("account.not_erased", user_id=str(user_id), error=str(error))
        return False
    with unit_of_work() as db:
        account_deletion.erase(db, user_id)
    log.info("account.erased", user_id=str(user_id))
    return True


@lru_cache(maxsize=1)
def _storage() -> Storage:
    return Storage(get_settings())
