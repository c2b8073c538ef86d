"""What a message may cost, as far as can be told before it is sent."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from actions import offers
from actions.web import searching
from agent.catalogue import Model
from agent.meter.prefixes import KEPT_SECONDS
from agent.meter.wires.base import HOLD_BYTES_PER_TOKEN, IMAGE_TOKENS
from models.base import utc_now
from models.chat import conversations
from models.ledger import limits, usage
from models.schema.uploads import PendingUpload, SentFile
from models.schema.users import User
from settings import get_settings

# The instructions, the tools, and what the assistant keeps of a person.
PROMPT_TOKENS = 5_000
# A long answer, some 1,500 words. What goes beyond is stopped at the limit.
LONG_ANSWER_TOKENS = 2_048
# What a model thinks before one, and when it is asked to think longer.
THOUGHTS_TOKENS = 512
LONG_THOUGHTS_TOKENS = 6_144
CENT = 10_000
# What research is likely to take beside that: searches, what they find and the pages that are
# read, a step of thinking after each, all of it read again from the cache, and the report.
RESEARCH_SEARCHES = 4
RESEARCH_STEPS = 11
RESEARCH_TOKENS = 26_000
STEP_TOKENS, REPORT_TOKENS = 200, 2_500
# As the meter counts on it.
CACHED_FOR = timedelta(seconds=KEPT_SECONDS)


@dataclass(frozen=True)
class Draft:
    """What is quoted for: a message before it is sent."""

    words: str
    files: Sequence[SentFile] = ()
    thinks_longer: bool = False


class CostConfirmationRequired(Exception):
    """The message may cost more than its person lets a message cost: they are asked first."""

    def __init__(self, quote_micros: int) -> None:
        super().__init__(quote_micros)
        self.quote_micros = quote_micros
        # It is asked about at any price: it costs as much as many messages do.
        self.is_research = False
        # The files that wait for the answer: name them when sending again.
        self.staged: Sequence[PendingUpload] = ()


def allowance(
    db: Session,
    user: User,
    conversation_id: UUID | None,
    draft: Draft,
    *,
    model: Model,
    agreed_micros: int,
) -> int:
    """Return what the message may cost, in micros: the person's limit, or what they agreed to.

    Raises CostConfirmationRequired with the quote when that is above both.
    """
    limit = limits.message_limit(user)
    quoted = quote(db, model, conversation_id, draft)
    most = max(limit, min(agreed_micros, get_settings().turn_max_cost_micros))
    if quoted > most:
        raise CostConfirmationRequired(quoted)
    return most


def research_allowance(
    db: Session,
    conversation_id: UUID | None,
    draft: Draft,
    *,
    model: Model,
    agreed_micros: int,
) -> int:
    """Return what research may cost, in micros: what its user agreed to, whatever their limit is.

    Raises CostConfirmationRequired with the quote unless they agreed to that much, and
    SearchNotOffered.
    """
    if not searching.is_offered():
        raise searching.SearchNotOffered
    most = get_settings().turn_max_cost_micros
    quoted = min(quote(db, model, conversation_id, draft) + _research(model), most)
    if agreed_micros < quoted:
        question = CostConfirmationRequired(quoted)
        question.is_research = True
        raise question
    return min(agreed_micros, most)


def _research(model: Model) -> int:
    """Return what research costs beside its first call, with a half more, in whole cents."""
    fresh = min(RESEARCH_TOKENS, offers.window(model))
    cached = RESEARCH_STEPS * (PROMPT_TOKENS + fresh // 2)
    written = RESEARCH_STEPS * STEP_TOKENS + REPORT_TOKENS
    micros = offers.likely(model, cached, fresh, written)
    micros += RESEARCH_SEARCHES * searching.price_micros()
    return math.ceil(1.5 * micros / CENT) * CENT


def quote(db: Session, model: Model, conversation_id: UUID | None, draft: Draft) -> int:
    """Return what the first call for a message is likely to cost with a long answer, in micros.

    What a model thinks before it is paid like words. What an answer of a moment ago was made of is
    in the provider's cache. In whole cents, rounded up, and no more than any message may cost.
    """
    latest = usage.latest_call(db, conversation_id) if conversation_id else None
    fresh = math.ceil(len(draft.words.encode()) / HOLD_BYTES_PER_TOKEN)
    fresh += sum(_tokens_of(file) for file in draft.files)
    cached = 0
    if latest is None:
        said = conversations.text_bytes(db, conversation_id) if conversation_id else 0
        fresh += PROMPT_TOKENS + math.ceil(said / HOLD_BYTES_PER_TOKEN)
    elif latest.model == model.id and utc_now() - latest.at < CACHED_FOR:
        cached, fresh = latest.tokens_in, fresh + latest.tokens_out
    else:
        fresh += latest.tokens_in + latest.tokens_out
    fresh = min(fresh, offers.window(model))
    thoughts = LONG_THOUGHTS_TOKENS if draft.thinks_longer else THOUGHTS_TOKENS
    output = LONG_ANSWER_TOKENS + (thoughts if model.thinks else 0)
    micros = offers.likely(model, cached, fresh, output)
    return min(math.ceil(micros / CENT) * CENT, get_settings().turn_max_cost_micros)


def _tokens_of(file: SentFile) -> int:
    if file.media_type.startswith("image/"):
        return IMAGE_TOKENS
    # Of a PDF nobody knows yet how much is text.
    shown = min(file.size_bytes, get_settings().upload_text_max_chars)
    return math.ceil(shown / HOLD_BYTES_PER_TOKEN)
