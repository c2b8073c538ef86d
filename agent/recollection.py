"""What a message tells the assistant of other conversations, and of answers that it has lost.

It stands in the message and not in the assistant's files: those are cut when they are long, and
what changes in them is paid for again in every conversation.
"""

import secrets
from collections.abc import Iterable
from uuid import UUID

from agent.local_time import local_time
from agent.quoting import one_line, quoted
from agent.turn import Exchange

# Paid for once, and then read from the provider's cache.
MOST_BYTES = 6_000
MOST_BYTES_OF_HERE = 24_000
ASKED_CHARS = 500
ANSWERED_CHARS = 800


def recollection(recent: Iterable[Exchange], timezone: str, here: UUID | None = None) -> str | None:
    """Write out the newest of `recent` (oldest first) that fit; None when there is nothing.

    There is more room for what was said `here`, in the same conversation. Times are
    those of `timezone`, the person's own.
    """
    recent = tuple(recent)
    is_of_here = any(exchange.conversation_id == here for exchange in recent)
    most_bytes = MOST_BYTES_OF_HERE if is_of_here else MOST_BYTES
    shown: list[str] = []
    size = 0
    for exchange in reversed(recent):
        text = _exchange(exchange, timezone)
        size += len(text.encode())
        if shown and size > most_bytes:
            break
        shown.insert(0, text)
    if not shown:
        return None
    # Nobody who writes a message can know the mark that ends it.
    mark = secrets.token_hex(4)
    return "\n".join((f"<earlier {mark}>", *shown, f"</earlier {mark}>"))


def _exchange(exchange: Exchange, timezone: str) -> str:
    # By the mark it is found again when the conversation is deleted: agent/cells/surgery.mjs.
    mark = f"(#{exchange.conversation_id.hex[-8:]})"
    title = one_line(exchange.conversation_title)
    return "\n".join(
        (
            f"### {local_time(timezone, exchange.at)}, in “{title}” {mark}",
            "They said:",
            quoted(exchange.asked, ASKED_CHARS),
            "You answered:",
            quoted(exchange.answered, ANSWERED_CHARS),
        )
    )
