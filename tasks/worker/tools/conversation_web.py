"""What a conversation has had of the web before a turn, told to that turn once."""

from collections.abc import Iterator

from actions.web import reading
from models.chat import conversations, sources, uploads
from tasks.worker.tools.access import Caller
from tasks.worker.tools.turn_web import TurnWeb

# Of the pages that earlier answers read, so many are looked at once more.
MOST_PAGES = 20


def recall(caller: Caller, web: TurnWeb) -> None:
    """Let a turn know what its user wrote in the conversation, and what was read in it before.

    A file of an earlier message still stands before the assistant.
    """
    if web.has_heard:
        return
    web.hear(conversations.words_of_user(caller.db, caller.job.conversation_id))
    web.remember(_earlier(caller))
    if uploads.has_any(caller.db, caller.job.conversation_id):
        web.know_of_files()


def _earlier(caller: Caller) -> Iterator[str]:
    pages = 0
    for source in sources.list_earlier(caller.db, caller.job):
        yield source.title
        if source.is_read and pages < MOST_PAGES:
            pages += 1
            kept = reading.find_kept(source.url)
            yield kept.text if kept else ""
