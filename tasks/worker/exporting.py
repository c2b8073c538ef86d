"""Puts archives together: of one user at a time in each worker process, and in a file on disk."""

import errno
import shutil
import tempfile
import threading
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import dramatiq
import structlog

from actions import wakeups
from actions.archives import exporting, writing
from actions.broker import get_broker
from agent.state import Restored
from agent.turn import AgentFailed, SavedState
from gateways.s3_files import StorageFailed
from models.archives import exports
from models.archives.exports import ClaimedExport
from models.base import new_id
from models.chat import storage_quotas
from models.database import unit_of_work
from models.ops import snapshots
from tasks.worker.build_turn import saved_states
from tasks.worker.process import WorkerProcess, current_process

log = structlog.get_logger()

# Whoever has not done it by then has died.
LEASE = timedelta(minutes=20)
TRY_AGAIN = timedelta(minutes=1)
LEFT_BYTES = 512 * 1024 * 1024


@dramatiq.actor(broker=get_broker(), actor_name=wakeups.EXPORT, queue_name=wakeups.ANSWERS_QUEUE)
def export() -> None:
    """Begin in a thread of its own, so that no other wake-up waits for it.

    Not while this process takes another user's files apart: the clock wakes it again.
    """
    process = current_process()
    if process.draining.is_set() or not process.editing.begin():
        return
    thread = threading.Thread(target=_in_background, args=(process,), name="export", daemon=True)
    try:
        thread.start()
    except RuntimeError:
        process.editing.done()
        raise


def carry_out(process: WorkerProcess) -> bool:
    """Put the archive together that has waited longest; False when none waits."""
    with unit_of_work() as db:
        for spent in exports.give_up(db):
            log.error("export.given_up", user_id=str(spent.user_id))
            exporting.tell_over(db, spent, is_ready=False)
        claimed = exports.claim(db, LEASE)
    if claimed is None:
        return False
    try:
        _write(process, claimed)
    except (AgentFailed, StorageFailed, OSError) as error:
        log.warning("export.failed", user_id=str(claimed.user_id), error=repr(error))
        with unit_of_work() as db:
            if exports.put_off(db, claimed, TRY_AGAIN):
                exporting.tell_over(db, claimed, is_ready=False)
    return True


def _in_background(process: WorkerProcess) -> None:
    try:
        while not process.draining.is_set() and carry_out(process):
            pass
    except Exception:
        log.exception("export.broke_off")
    finally:
        process.editing.done()


def _write(process: WorkerProcess, claimed: ClaimedExport) -> None:
    place = exports.place(claimed.user_id, claimed.id)
    key = f"{place}{claimed.attempt}-{new_id()}"
    # In containers /tmp is memory.
    folder = process.settings.cells_dir
    with tempfile.TemporaryFile(dir=folder) as file:
        restored = process.runtime.restore(_states(claimed.user_id))
        _refuse_without_room(folder, claimed.user_id, restored)
        writing.write(claimed.user_id, restored, process.storage, file)
        del restored
        size_bytes = file.tell()
        process.storage.put_file(key, file)
    with unit_of_work() as db:
        is_ours = exports.finish(db, claimed, key, size_bytes)
        if is_ours:
            exporting.tell_over(db, claimed, is_ready=True)
    _delete(process, [key] if not is_ours else _of_others(process, place, key))
    log.info("export.ready", user_id=str(claimed.user_id), size_bytes=size_bytes)


def _of_others(process: WorkerProcess, place: str, key: str) -> list[str]:
    """List what attempts before have left: it may have what was deleted meanwhile."""
    return [one for one in process.storage.list(place) if one != key]


def _delete(process: WorkerProcess, keys: list[str]) -> None:
    for key in keys:
        process.storage.delete(key)


def _refuse_without_room(folder: Path, user_id: UUID, restored: Restored) -> None:
    """Leave the cells beside it the room that they need. Raises OSError."""
    with unit_of_work() as db:
        files_bytes = storage_quotas.used(db, user_id).uploads_bytes
    wanted = files_bytes + sum(len(file.data) for file in restored.files) + LEFT_BYTES
    if shutil.disk_usage(folder).free < wanted:
        raise OSError(errno.ENOSPC, "no room for an archive")


def _states(user_id: UUID) -> tuple[SavedState, ...]:
    with unit_of_work() as db:
        return saved_states(snapshots.newest(db, user_id))
