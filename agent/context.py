"""How much of a conversation a model is sent, bounded by what that costs a person.

OpenClaw summarizes what came before when a conversation takes three quarters of its model's window.
So the window that it is told is not what the model could read, but what people can pay for.
"""

from collections.abc import Iterable
from dataclasses import replace

from agent.catalogue import Model
from agent.prices import Prices, PriceUnknown, most_payable
from settings import Settings

# A conversation is summarized when it has this share of its window.
SUMMARIZED_AT = 0.75
# With less, hardly anything is left beside the instructions, a summary and the latest messages.
LEAST_WINDOW = 32_000
WINDOW_STEP = 1_000
# What stays word by word when the rest is summarized, and which share of a window at most. Where
# every recent message is longer, OpenClaw finds no place to cut, and summarizes nothing. With more,
# the dearest model would have no room for an answer of 4,096 tokens after a summary.
KEPT_TOKENS = 6_500
KEPT_SHARE = 5
# What the files of one message may take of a window.
SHOWN_SHARE = 0.6


def bounded(model: Model, prices: Prices, message_limit_micros: int) -> Model:
    """Return `model` with the window in which even a conversation that no cache has is affordable.

    At its longest, reading it anew costs no more than a message may cost unless its person says so.
    """

    def cold(tokens: int) -> int:
        return prices.worst_case(model, tokens, 0)

    try:
        longest = most_payable(cold, model.context_window, message_limit_micros)
    except PriceUnknown:
        # It is not served.
        return model
    window = int(longest / SUMMARIZED_AT) // WINDOW_STEP * WINDOW_STEP
    return replace(model, context_window=min(model.context_window, max(window, LEAST_WINDOW)))


def kept_tokens(models: Iterable[Model]) -> int:
    """Return how many tokens a summary leaves as they are; a cell has one number for all models."""
    smallest = min((model.context_window for model in models), default=KEPT_TOKENS * KEPT_SHARE)
    return min(KEPT_TOKENS, smallest // KEPT_SHARE)


def text_chars(model: Model, settings: Settings) -> int:
    """Return how many characters of files one message may show, so that there is room around them.

    In some scripts each character is a token.
    """
    return min(settings.upload_text_max_chars, int(model.context_window * SHOWN_SHARE))
