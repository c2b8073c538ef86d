"""Handles what came in and had to wait: for files, for the rest of a message, for one before it.

Files are fetched without a transaction. A process that dies meanwhile leaves the update to the
next, and the message's key lets it be sent once.
"""

import threading
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from actions.announcements import StreamPublisher
from actions.attachments import IncomingFile, StorageAway
from actions.channels import messages, notices, receiving
from actions.channels.chats import open_chat
from channels.base import Channel, ChannelFailed, Trouble
from channels.inbound import FileKind, InboundFile, MessageArrived, Update
from models.channels import accounts, gaps, groups, updates
from models.channels.updates import ClaimedUpdate
from models.database import OUTAGES, open_session, unit_of_work
from models.schema.channels import ChannelUpdate, UpdateStatus
from models.translation import speaking
from tasks.messaging.hearing import hear

log = structlog.get_logger()

# What waits for nothing is work for the processor: more threads at a time would only take longer.
_at_work = threading.BoundedSemaphore(2)

LEASE = timedelta(minutes=3)
MOST_TRIES = 5
# While an update of the same account is being handled.
BUSY = timedelta(seconds=0.2)
RETRY = timedelta(seconds=5)


@dataclass
class Fetched:
    """The files of a message as far as they could be fetched, and what is said of the others."""

    files: list[IncomingFile] = field(default_factory=list[IncomingFile])
    voices: list[IncomingFile] = field(default_factory=list[IncomingFile])
    has_too_large: bool = False


def handle(claimed: ClaimedUpdate, channel: Channel) -> None:
    """Handle a claimed update, with those of its group; what fails is tried again a few times."""
    try:
        _handle(claimed, channel)
    except OUTAGES:
        # Its lease ends, and it is found again.
        raise
    except (ChannelFailed, StorageAway) as failure:
        _put_off(claimed, channel, failure)
    except Exception as failure:
        log.exception("update.failed", update_id=str(claimed.id), channel=channel.name)
        _put_off(claimed, channel, failure)


def _handle(claimed: ClaimedUpdate, channel: Channel) -> None:
    with _at_work, unit_of_work() as db:
        row = _locked(db, claimed)
        if row is None:
            return
        if gaps.has_gap(db, row):
            gaps.await_gap(db, row)
            return
        if not updates.is_first(db, row):
            # What belongs before it came after it was claimed.
            updates.put_off(row, timedelta(0))
            return
        group = groups.group_of(db, row)
        if not groups.has_settled(db, group):
            updates.put_off(row, updates.GROUP_SETTLES / 3)
            return
        arrived = _merged(group)
        if arrived is None:
            receiving.handle(db, channel, row, StreamPublisher())
            gaps.hasten(db, row)
            return
        parts = frozenset(one.id for one in group)
        is_strangers = accounts.find_outside(db, channel.name, row.account_id) is None
    # Whoever is nobody's yet sends no files.
    fetched = Fetched() if is_strangers else _fetch(channel, arrived.files)
    with open_session() as db:
        _arrive(db, claimed, channel, parts, arrived, fetched)
        db.commit()


def _locked(db: Session, claimed: ClaimedUpdate) -> ChannelUpdate | None:
    """Return a claimed update under its account's lock; None if it is not to be handled now."""
    row = updates.find_claimed(db, claimed)
    if row is None:
        return None
    if not updates.try_lock_account(db, row.channel, row.account_id):
        updates.put_off(row, BUSY)
        return None
    # Whoever had the lock may have handled it.
    return updates.find_claimed(db, claimed)


def _merged(group: Sequence[ChannelUpdate]) -> MessageArrived | None:
    """Make one message of those of a group; None where there is nothing to fetch or to join."""
    parts = [Update.model_validate(row.payload).inbound for row in group]
    arrived = [part for part in parts if isinstance(part, MessageArrived)]
    if not arrived or not (len(arrived) > 1 or arrived[0].files):
        return None
    words = "".join(map(_with_end, arrived)).rstrip()
    files = tuple(file for part in arrived for file in part.files)
    return arrived[0].model_copy(update={"text": words, "files": files})


def _with_end(part: MessageArrived) -> str:
    """Return the words of a part, and what stands between them and the next."""
    if not part.text:
        return ""
    return part.text + ("\n\n" if part.cut_at is None else part.cut_at)


def _fetch(channel: Channel, files: Sequence[InboundFile]) -> Fetched:
    fetched = Fetched()
    limit = channel.capabilities.inbound_file_limit_bytes
    for file in files:
        if (file.size_bytes or 0) > limit:
            fetched.has_too_large = True
            continue
        try:
            content = channel.fetch(file.id).content
        except ChannelFailed as failure:
            if failure.trouble is not Trouble.FILE_TOO_LARGE:
                raise
            fetched.has_too_large = True
            continue
        kept = fetched.voices if file.kind is FileKind.VOICE else fetched.files
        kept.append(IncomingFile(file.name, BytesIO(content)))
    return fetched


def _arrive(
    db: Session,
    claimed: ClaimedUpdate,
    channel: Channel,
    parts: Collection[UUID],
    arrived: MessageArrived,
    fetched: Fetched,
) -> None:
    """Send what arrived by these parts of a group; one that came meanwhile still waits."""
    row = updates.find_claimed(db, claimed)
    if row is None:
        return
    updates.lock_account(db, channel.name, row.account_id)
    group = [one for one in groups.group_of(db, row) if one.id in parts]
    chat = open_chat(db, channel, StreamPublisher(), arrived.sender, row)
    with speaking(chat.user.locale if chat.user else None):
        if fetched.has_too_large:
            chat.say(notices.file_too_large(channel.capabilities.inbound_file_limit_bytes))
        heard = hear(chat, fetched.voices, claimed.id)
        if chat.user is None or arrived.text.strip() or fetched.files or heard:
            messages.arrive(chat, arrived, group, fetched.files, heard)
        else:
            updates.close(db, group, UpdateStatus.REFUSED)
    gaps.hasten(db, row)


def _put_off(claimed: ClaimedUpdate, channel: Channel, failure: Exception) -> None:
    """Try again in a moment; after some tries the user is asked to send it again."""
    permanent = isinstance(failure, ChannelFailed) and failure.is_permanent
    with unit_of_work() as db:
        row = updates.find_claimed(db, claimed)
        if row is None:
            return
        # Looks at what it waits for are no tries.
        tries = updates.note_failure(row)
        log.warning("update.put_off", update_id=str(row.id), attempt=tries, error=str(failure))
        if tries < MOST_TRIES and not permanent:
            updates.put_off(row, RETRY * tries)
            return
        _give_up(db, channel, row)


def _give_up(db: Session, channel: Channel, row: ChannelUpdate) -> None:
    inbound = Update.model_validate(row.payload).inbound
    if isinstance(inbound, MessageArrived):
        open_chat(db, channel, StreamPublisher(), inbound.sender, row).say(notices.not_read())
    updates.close(db, groups.group_of(db, row), UpdateStatus.FAILED)
