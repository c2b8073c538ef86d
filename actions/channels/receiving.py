"""What comes in from messengers: written down at once, handled once, in the order of each chat."""

import threading
from collections.abc import Sequence

import structlog
from sqlalchemy.orm import Session

from actions import wakeups
from actions.announcements import Publisher
from actions.channels import buttons, commands, edits, messages, notices
from actions.channels.chats import Chat, open_chat
from channels.base import Channel
from channels.inbound import (
    ButtonPressed,
    CommandGiven,
    GroupJoined,
    Inbound,
    MessageArrived,
    MessageEdited,
    ReachChanged,
    Update,
)
from models.channels import accounts, deliveries, gaps, groups, updates
from models.channels.deliveries import Recipient
from models.channels.updates import NewUpdate
from models.database import OUTAGES, after_commit
from models.schema.channels import ChannelUpdate, UpdateStatus
from models.translation import speaking

log = structlog.get_logger()

# What is kept beside an update: see `_written`.
BESIDES = {"inbound": {"written_at"}}

# In a burst a web process handles one update at a time, and writes the others down: so messengers
# are answered as soon as ever, and messaging processes take their part.
_at_work = threading.BoundedSemaphore()


def receive(db: Session, channel: Channel, come: Sequence[Update], publisher: Publisher) -> None:
    """Write updates down, and handle each at once if nothing is to be fetched or awaited.

    They are committed first: then nobody takes for missing what is being handled. The caller
    commits the rest. One that came before changes nothing. What waits is handled by a messaging
    process, which is woken after the commit; so is what comes while another update is being
    handled: the messenger is to wait for nobody.
    """
    is_alone = _at_work.acquire(blocking=False)
    try:
        written = _write_down(db, channel, come, is_held=is_alone)
        for row, inbound in written:
            if not (is_alone and _is_handled(db, channel, row, inbound, publisher)):
                after_commit(db, wakeups.messengers)
    finally:
        if is_alone:
            _at_work.release()


def _write_down(
    db: Session, channel: Channel, come: Sequence[Update], *, is_held: bool
) -> Sequence[tuple[ChannelUpdate, Inbound]]:
    """Commit what came, and return what is new of it."""
    written: list[tuple[ChannelUpdate, Inbound]] = []
    for one in sorted(come, key=lambda one: one.number or 0):
        row = updates.receive(db, channel.name, _new(one), is_held=is_held)
        if row is None:
            log.info("update.repeated", channel=channel.name)
        else:
            written.append((row, one.inbound))
    db.commit()
    return written


def _is_handled(
    db: Session, channel: Channel, row: ChannelUpdate, inbound: Inbound, publisher: Publisher
) -> bool:
    """Handle an update if that can be done at once; False if it is left to a messaging process."""
    if not updates.try_lock_account(db, row.channel, row.account_id):
        updates.leave(row)
        return False
    if not updates.is_waiting(db, row):
        # A messaging process was faster.
        return True
    return not _is_left(db, row, inbound) and _handle_safely(db, channel, row, publisher)


def _new(one: Update) -> NewUpdate:
    inbound = one.inbound
    return NewUpdate(
        external_id=one.external_id,
        number=one.number,
        account_id=account_of(inbound),
        message_id=inbound.message_id if isinstance(inbound, MessageArrived) else None,
        group_id=_group_of(inbound),
        # A process of the release before refuses what it does not know; so it is told little.
        payload=one.model_dump(mode="json", exclude_none=True, exclude=BESIDES),
        details=_written(inbound),
    )


def _written(inbound: Inbound) -> dict[str, object]:
    """Say of a text when it was written: then it may go on from the one before."""
    if not isinstance(inbound, MessageArrived) or inbound.written_at is None:
        return {}
    # Of a reply only the first piece says what it replies to.
    is_reply = inbound.replies_to_id is not None and inbound.cut_at is None
    is_another = bool(inbound.files) or inbound.forwarded_from is not None or is_reply
    return {} if is_another else {groups.WRITTEN_AT: inbound.written_at}


def _group_of(inbound: Inbound) -> str | None:
    if not isinstance(inbound, MessageArrived):
        return None
    return inbound.group_id or (None if inbound.cut_at is None else updates.CUT)


def account_of(inbound: Inbound) -> str:
    """Return the outside account that an update belongs to; "" for a group's."""
    return "" if isinstance(inbound, GroupJoined) else inbound.sender.account_id


def _is_left(db: Session, row: ChannelUpdate, inbound: Inbound) -> bool:
    """Tell whether it is left to a messaging process, for its files or what comes before it."""
    if gaps.has_gap(db, row):
        gaps.await_gap(db, row)
        return True
    needs_files = isinstance(inbound, MessageArrived) and inbound.files
    if needs_files or row.group_id or not updates.is_first(db, row):
        updates.leave(row)
        return True
    return False


def _handle_safely(db: Session, channel: Channel, row: ChannelUpdate, publisher: Publisher) -> bool:
    """Handle an update; one that fails is left to a messaging process, which tries again."""
    try:
        with db.begin_nested():
            handle(db, channel, row, publisher)
    except OUTAGES:
        raise
    except Exception:
        log.exception("update.failed", channel=channel.name, update_id=str(row.id))
        updates.leave(row)
        return False
    gaps.hasten(db, row)
    return True


def handle(db: Session, channel: Channel, row: ChannelUpdate, publisher: Publisher) -> None:
    """Do what an update without files says, and note what became of it."""
    inbound = Update.model_validate(row.payload).inbound
    if isinstance(inbound, GroupJoined):
        _leave(db, channel, inbound, row)
        return
    chat = open_chat(db, channel, publisher, inbound.sender, row)
    with speaking(chat.user.locale if chat.user else None):
        if isinstance(inbound, MessageArrived):
            messages.arrive(chat, inbound, [row])
        else:
            updates.close(db, [row], _handle_rest(chat, inbound), row.job_id)


def _handle_rest(
    chat: Chat, inbound: MessageEdited | CommandGiven | ButtonPressed | ReachChanged
) -> UpdateStatus:
    if isinstance(inbound, MessageEdited):
        return edits.edit(chat, inbound)
    if isinstance(inbound, CommandGiven):
        commands.obey(chat, inbound)
    elif isinstance(inbound, ButtonPressed):
        buttons.press(chat, inbound)
    elif not inbound.is_reachable:
        accounts.mark_blocked(chat.db, chat.channel.name, inbound.sender.account_id)
    # A command may have brought a message.
    is_open = chat.update.status is UpdateStatus.WAITING
    return UpdateStatus.DONE if is_open else chat.update.status


def _leave(db: Session, channel: Channel, joined: GroupJoined, row: ChannelUpdate) -> None:
    """Say once in a group that we do not talk there, and leave it."""
    group = Recipient(channel.name, joined.address)
    content = notices.not_a_group().as_content()
    deliveries.notify(db, group, content, reference=f"group:{joined.address}:{row.external_id}")
    deliveries.leave(db, group, reference=f"leave:{joined.address}:{row.external_id}")
    updates.close(db, [row], UpdateStatus.DONE)
    after_commit(db, wakeups.messengers)
