"""A message that was written in a messenger: sent as one from the website is."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from actions import sending
from actions.attachments import IncomingFile, StorageAway
from actions.channels import following, linking, notices, wording
from actions.channels.chats import Chat
from actions.quotes import CostConfirmationRequired
from actions.sending import Incoming, Sent
from actions.sentences import pauses
from channels.inbound import MessageArrived
from models import jobs
from models.channels import accounts, groups, updates
from models.errors import NotFound, Refused
from models.schema.channels import ChannelAccount, ChannelUpdate, UpdateStatus
from models.schema.users import User


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
    groups.note_place(group, wording.place_of(arrived, heard))
    incoming = _incoming(chat, chat.account, arrived.message_id, words)
    _send(chat, chat.user, replace(incoming, files=files), group)


def write(
    chat: Chat,
    account: ChannelAccount,
    user: User,
    key: str,
    words: str,
    *,
    instead_of: ChannelUpdate | None = None,
) -> None:
    """Send words that came with a command or an edit as a message, once for each `key`.

    What became of it is noted on the update, and on the one in whose place it is sent.
    """
    group = [chat.update] if instead_of is None else [instead_of, chat.update]
    _send(chat, user, _incoming(chat, account, key, words), group)


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
        sent = _sent(chat, user, incoming)
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


def _sent(chat: Chat, user: User, incoming: Incoming) -> Sent:
    """Send it; where the conversation was deleted while its files were stored, in a new one."""
    try:
        return sending.send(chat.db, user, incoming, chat.publisher)
    except NotFound:
        if incoming.conversation_id is None:
            raise
        begun = replace(incoming, conversation_id=None)
        return sending.send(chat.db, user, begun, chat.publisher)


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
    details = {
        "text": incoming.text,
        "sent_key": str(incoming.sent_key),
        "staged": [str(one.id) for one in question.staged],
        "quote_micros": question.quote_micros,
    }
    updates.note_asked(group, details)
    chat.say(notices.confirm_cost(group[0].id, question.quote_micros))
    updates.close(chat.db, group, UpdateStatus.ASKED)


def send_agreed(chat: Chat, update_id: UUID) -> None:
    """Send a message whose cost the user has agreed to; one that is not theirs does nothing."""
    asked = _find_asked(chat, update_id)
    if not asked or chat.account is None or chat.user is None:
        return
    kept = asked[0].details
    incoming = replace(
        _incoming(chat, chat.account, "", kept["text"]),
        sent_key=UUID(kept["sent_key"]),
        staged_ids=frozenset(map(UUID, kept["staged"])),
        agreed_micros=kept["quote_micros"],
    )
    _send(chat, chat.user, incoming, asked)


def drop(chat: Chat, update_id: UUID) -> None:
    """Send a message not, as the user finds it too dear."""
    asked = _find_asked(chat, update_id)
    if not asked or chat.user is None:
        return
    # Its files expire by themselves.
    updates.close(chat.db, asked, UpdateStatus.REFUSED)
    chat.say(notices.dropped())


def _find_asked(chat: Chat, update_id: UUID) -> Sequence[ChannelUpdate]:
    return updates.find_asked(chat.db, chat.channel.name, chat.sender.account_id, update_id)
