"""A message that was written in a messenger: sent as one from the website is."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from actions import sending
from actions.announcements import announce_queued
from actions.attachments import IncomingFile, StorageAway
from actions.channels import following, linking, notices, wording
from actions.channels.chats import Chat
from actions.quotes import CostConfirmationRequired
from actions.sending import Incoming, Sent
from actions.sentences import pauses
from channels.inbound import MessageArrived, MessageEdited
from models import jobs
from models.channels import accounts, groups, updates
from models.errors import Refused
from models.jobs.rewriting import rewrite
from models.schema.channels import ChannelAccount, ChannelUpdate, UpdateStatus
from models.schema.users import User
from models.translation import gettext


def arrive(
    chat: Chat,
    arrived: MessageArrived,
    group: Sequence[ChannelUpdate],
    files: Sequence[IncomingFile] = (),
    heard: str = "",
) -> None:
    """Send what arrived, with the files that were fetched; note on `group` what became of it."""
    if chat.account is None or chat.user is None:
        linking.greet(chat)
        updates.close(chat.db, group, UpdateStatus.REFUSED)
        return
    if arrived.unsupported is not None:
        chat.say(notices.unsupported(arrived.unsupported))
    words = wording.text_of(arrived, heard)
    if arrived.unsupported is not None and not words.strip() and not files:
        updates.close(chat.db, group, UpdateStatus.REFUSED)
        return
    incoming = _incoming(chat, chat.account, arrived.message_id, words)
    _send(chat, chat.user, replace(incoming, files=files), group)


def _incoming(chat: Chat, account: ChannelAccount, key: str, words: str) -> Incoming:
    conversation = accounts.current_conversation(chat.db, account)
    return Incoming(
        words,
        conversation_id=conversation.id if conversation else None,
        sent_key=sending.sent_key_of(chat.channel.name, f"{account.account_id}:{key}"),
        channel=chat.channel.name,
    )


def _send(chat: Chat, user: User, incoming: Incoming, group: Sequence[ChannelUpdate]) -> None:
    try:
        sent = sending.send(chat.db, user, incoming, chat.publisher)
    except CostConfirmationRequired as question:
        _ask(chat, incoming, question, group)
    except StorageAway:
        # Nobody's fault, and soon over: it is tried again.
        raise
    except Refused as refusal:
        chat.say(notices.refused(refusal))
        updates.close(chat.db, group, UpdateStatus.REFUSED)
    else:
        _note_sent(chat, sent, group)


def _note_sent(chat: Chat, sent: Sent, group: Sequence[ChannelUpdate]) -> None:
    pause = jobs.find_pause(chat.db, sent.job)
    if pause is not None:
        chat.say(notices.not_answered_yet(pauses.sentence(pause)))
    if chat.account is not None and chat.account.conversation_id != sent.conversation.id:
        # It has begun one; its answer comes here, as all that follows.
        accounts.show(chat.account, sent.conversation.id)
        following.expect(chat.db, sent.job)
    updates.close(chat.db, group, UpdateStatus.DONE, sent.job.id)


def _ask(
    chat: Chat,
    incoming: Incoming,
    question: CostConfirmationRequired,
    group: Sequence[ChannelUpdate],
) -> None:
    first = group[0]
    first.details = {
        "text": incoming.text,
        "sent_key": str(incoming.sent_key),
        "staged": [str(one.id) for one in question.staged],
        "quote_micros": question.quote_micros,
    }
    chat.say(notices.confirm_cost(first.id, question.quote_micros))
    updates.close(chat.db, group, UpdateStatus.ASKED)


def send_agreed(chat: Chat, update_id: UUID) -> None:
    """Send a message whose cost the user has agreed to; one that is not theirs does nothing."""
    asked = _find_asked(chat, update_id)
    if asked is None or chat.account is None or chat.user is None:
        return
    kept = asked.details
    incoming = replace(
        _incoming(chat, chat.account, "", kept["text"]),
        sent_key=UUID(kept["sent_key"]),
        staged_ids=frozenset(map(UUID, kept["staged"])),
        agreed_micros=kept["quote_micros"],
    )
    _send(chat, chat.user, incoming, [asked])


def drop(chat: Chat, update_id: UUID) -> None:
    """Send a message not, as the user finds it too dear."""
    asked = _find_asked(chat, update_id)
    if asked is None or chat.user is None:
        return
    # Its files expire by themselves.
    asked.details = {}
    updates.close(chat.db, [asked], UpdateStatus.REFUSED)
    chat.say(notices.dropped())


def _find_asked(chat: Chat, update_id: UUID) -> ChannelUpdate | None:
    return updates.find_asked(chat.db, chat.channel.name, chat.sender.account_id, update_id)


def edit(chat: Chat, edited: MessageEdited) -> UpdateStatus:
    """Change a message that still waits; else send the new words as another one that says so."""
    if chat.account is None or chat.user is None:
        return UpdateStatus.REFUSED
    before = updates.find_message(
        chat.db, chat.channel.name, edited.sender.account_id, edited.message_id
    )
    if before is None or not edited.text.strip():
        return UpdateStatus.REFUSED
    is_asked = before.status is UpdateStatus.ASKED
    if is_asked and before.group_id != updates.CUT and "text" in before.details:
        # The question whether to send it still stands.
        before.details = {**before.details, "text": edited.text}
        return UpdateStatus.DONE
    if before.job_id is None and not is_asked:
        return UpdateStatus.REFUSED
    if _is_rewritten(chat, chat.user, before, edited.text):
        return UpdateStatus.DONE
    words = f"{gettext('I have changed my message; it says now:')}\n\n{edited.text}"
    key = f"{edited.message_id}:edit:{chat.update.external_id}"
    _send(chat, chat.user, _incoming(chat, chat.account, key, words), [chat.update])
    return chat.update.status


def _is_rewritten(chat: Chat, user: User, before: ChannelUpdate, words: str) -> bool:
    """Change the message that an update brought; False if it is too late, or only a part of it."""
    if before.job_id is None or groups.is_part_of_text(chat.db, before):
        return False
    job = rewrite(chat.db, user.id, before.job_id, words)
    if job is None:
        return False
    announce_queued(chat.db, job, chat.publisher)
    chat.update.job_id = job.id
    return True
