"""What a message may cost, as far as can be told before it is sent."""

import math
from collections.abc import Sequence
from uuid import UUID

from agent.catalogue import Model
from agent.meter.wires.base import HOLD_BYTES_PER_TOKEN, IMAGE_TOKENS
from models import conversations, limits
from models.uploads import SentFile
from models.users import User
from settings import get_settings
from webapp import model_choice
from webapp.database import db

# OpenClaw's own instructions, and what it keeps of a person.
PROMPT_TOKENS = 13_000
# A long answer, some 1,500 words. What goes beyond is stopped at the limit.
LONG_ANSWER_TOKENS = 2_048
CENT = 10_000


class MayCostMore(Exception):
    """The message may cost more than its person lets a message cost: they are asked first."""

    def __init__(self, quote_micros: int) -> None:
        super().__init__(quote_micros)
        self.quote_micros = quote_micros


def allowance(
    user: User,
    conversation_id: UUID | None,
    words: str,
    files: Sequence[SentFile],
    *,
    agreed_micros: int,
) -> int:
    """Return what the message may cost, in micros: the person's limit, or what they agreed to.

    Raises MayCostMore with the quote when that is above both.
    """
    limit = limits.message_limit(user)
    quoted = quote(model_choice.current(user), conversation_id, words, files)
    most = max(limit, min(agreed_micros, get_settings().turn_max_cost_micros))
    if quoted > most:
        raise MayCostMore(quoted)
    return most


def quote(model: Model, conversation_id: UUID | None, words: str, files: Sequence[SentFile]) -> int:
    """Return the most that the first call for a message costs with a long answer, in micros.

    In whole cents, rounded up, and no more than any message may cost.
    """
    said = conversations.text_bytes(db(), conversation_id) if conversation_id else 0
    text_bytes = len(words.encode()) + said
    tokens = PROMPT_TOKENS + math.ceil(text_bytes / HOLD_BYTES_PER_TOKEN)
    tokens += sum(_tokens_of(file) for file in files)
    micros = model_choice.worst_case(model, min(tokens, model.context_window), LONG_ANSWER_TOKENS)
    return min(math.ceil(micros / CENT) * CENT, get_settings().turn_max_cost_micros)


def _tokens_of(file: SentFile) -> int:
    if file.media_type.startswith("image/"):
        return IMAGE_TOKENS
    # Of a PDF nobody knows yet how much is text.
    shown = min(file.size_bytes, get_settings().upload_text_max_chars)
    return math.ceil(shown / HOLD_BYTES_PER_TOKEN)
