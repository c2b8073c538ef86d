"""Turns voice messages from a messenger into words."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from actions import voice
from actions.attachments import IncomingFile
from actions.channels import notices
from actions.channels.chats import Chat
from actions.voice import TranscriberAway
from models.chat.transcriptions import StillHearing
from models.errors import Refused

# These may pass by themselves: the update is tried again.
PASSING = (TranscriberAway, StillHearing)


def hear(chat: Chat, recordings: Sequence[IncomingFile], update_id: UUID) -> str:
    """Return what was said in the voice messages of an update, which the user is shown too.

    Each is charged once, however often the update is tried. What cannot be heard is answered with
    why not. The session is committed several times. Raises one of PASSING.
    """
    user = chat.user
    if user is None:
        return ""
    said: list[str] = []
    for number, recorded in enumerate(recordings):
        key = uuid5(update_id, str(number))
        try:
            heard = voice.hear(chat.db, user, recorded, key, language=chat.sender.language)
        except PASSING:
            raise
        except Refused as refusal:
            chat.say(notices.refused(refusal))
        else:
            said.append(heard.text)
    words = "\n\n".join(said)
    if words:
        chat.say(notices.heard(words))
    return words
