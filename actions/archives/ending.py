"""Archives end when their user deletes what is in them: deleted words are in no object."""

from datetime import datetime
from uuid import UUID

import structlog
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from actions.attachments import storage
from gateways.s3_files import StorageFailed
from models.archives import exports
from models.database import NoConnection, after_commit, unit_of_work

log = structlog.get_logger()

AT_ONCE = 100


def end(db: Session, user_id: UUID, since: datetime | None) -> None:
    """End archives of a locked account that may hold what came to be then; None for any time.

    After the commit they go from storage; what cannot go then is tried again by `delete_ended`.
    """
    ended = exports.end(db, user_id, since)
    if ended:
        after_commit(db, lambda: _delete_all(ended))


def delete_ended() -> None:
    """Delete from storage what has ended and is still there."""
    with unit_of_work() as db:
        ended = exports.list_ended(db, AT_ONCE)
    _delete_all(ended)


def _delete_all(ended: list[UUID]) -> None:
    for export_id in ended:
        try:
            _delete(export_id)
        except StorageFailed as error:
            log.warning("export.left_behind", export_id=str(export_id), error=str(error))
        except (DBAPIError, NoConnection) as error:
            # What was deleted is committed by now, and the next sweep tries all of them again.
            log.warning("export.not_settled", error=type(error).__name__)
            return


def _delete(export_id: UUID) -> None:
    with unit_of_work() as db:
        export = exports.find_ended(db, export_id)
    if export is None or export.storage_key is None:
        return
    left = storage().list(exports.place(export.user_id, export.id))
    for key in {*left, export.storage_key}:
        storage().delete(key)
    with unit_of_work() as db:
        exports.note_deleted(db, export_id)
