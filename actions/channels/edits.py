"""What happens when a user changes a message in a messenger that they sent before."""

from actions.announcements import announce_queued
from actions.channels import messages, notices, wording
from actions.channels.chats import Chat
from channels.inbound import MessageEdited
from models.channels import groups, updates
from models.errors import NotFound, Refused
from models.jobs.queries import find_own
from models.jobs.rewriting import rewrite
from models.schema.channels import ChannelAccount, ChannelUpdate, UpdateStatus
from models.schema.chat import Message
from models.schema.users import User
from models.translation import gettext

# What came to nothing: its user was told why.
CAME_TO_NOTHING = {UpdateStatus.REFUSED, UpdateStatus.FAILED}


def edit(chat: Chat, edited: MessageEdited) -> UpdateStatus:
    """Change a message that still waits; else send the new words as another one that says so.

    Of one that was refused they are a message like any, unless it had files or other parts: these
    are not kept, and the user is asked to send it again. Nothing becomes of an edit of what this
    user did not send.
    """
    if chat.account is None or chat.user is None:
        return UpdateStatus.REFUSED
    before = updates.find_message(
        chat.db, chat.channel.name, edited.sender.account_id, edited.message_id
    )
    if before is None or not edited.text.strip():
        return UpdateStatus.REFUSED
    try:
        return _edit(chat, chat.account, chat.user, before, edited)
    except NotFound:
        # The messenger was another user's when that was written.
        return UpdateStatus.REFUSED
    except Refused as refusal:
        chat.say(notices.refused(refusal))
        return UpdateStatus.REFUSED


def _edit(
    chat: Chat, account: ChannelAccount, user: User, before: ChannelUpdate, edited: MessageEdited
) -> UpdateStatus:
    key = f"{edited.message_id}:edit:{chat.update.external_id}"
    if before.status in CAME_TO_NOTHING and before.details.get(updates.MORE):
        chat.say(notices.send_it_whole())
        return UpdateStatus.REFUSED
    if before.status in CAME_TO_NOTHING:
        # It is this message from now on, if it is taken: the next edit changes that.
        before.details = {}
        messages.write(chat, account, user, key, edited.text, instead_of=before)
        return chat.update.status
    if before.status is UpdateStatus.ASKED:
        is_changed = _is_changed_in_question(chat, before, edited.text)
    elif before.job_id is None:
        return UpdateStatus.REFUSED
    else:
        is_changed = _is_rewritten(chat, user, before, edited.text)
    if is_changed:
        return UpdateStatus.DONE
    words = f"{gettext('I have changed my message; it says now:')}\n\n{edited.text}"
    messages.write(chat, account, user, key, words)
    return chat.update.status


def _is_changed_in_question(chat: Chat, before: ChannelUpdate, words: str) -> bool:
    """Change a message that its user is asked about; False if that was only a part of it."""
    place = groups.find_place(chat.db, before)
    if place is None or "text" not in before.details:
        return False
    # The question whether to send it still stands.
    text = wording.reworded(before.details["text"], place, words)
    before.details = {**before.details, "text": text}
    return True


def _is_rewritten(chat: Chat, user: User, before: ChannelUpdate, words: str) -> bool:
    """Change the message that an update brought; False if it is too late, or only a part of it."""
    if before.job_id is None:
        return False
    answering = find_own(chat.db, user.id, before.job_id)
    place = groups.find_place(chat.db, before)
    message = chat.db.get(Message, answering.message_id) if answering.message_id else None
    if place is None or message is None:
        return False
    text = wording.reworded(message.text, place, words)
    job = rewrite(chat.db, user.id, before.job_id, text)
    if job is None:
        return False
    announce_queued(chat.db, job, chat.publisher)
    chat.update.job_id = job.id
    return True
