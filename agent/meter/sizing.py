"""How long an answer may be, and what is held for it, given all that bounds what it may cost."""

from collections.abc import Sequence

from agent.catalogue import Model
from agent.meter.call_ledger import Bound, NoRoom
from agent.meter.intake import Asked
from agent.meter.running import RunningTurn
from agent.prices import Prices, most_payable
from agent.turn import TurnFailure

# The bound that is its person's wish for one message, and no promise of money that is not there.
MESSAGE_LIMIT = TurnFailure.MESSAGE_LIMIT
# How many times that limit the summaries within one message may cost. OpenClaw makes them in some
# calls one after the other; where they do not fit, the conversation cannot go on.
SUMMARIES_SHARE = 2
# An answer that could not even be this long is not begun.
SMALLEST_OUTPUT_TOKENS = 256
# With less than this a model that thinks may use it all up before its first word.
SMALLEST_THOUGHT_TOKENS = 1_024
# What an answer may have with the thoughts for it, where somebody wants more of those.
LONGER_OUTPUT_TOKENS = 16_384
# Up to this size a request is kept for an hour by who lets us choose. Most pauses in a talk are
# longer than five minutes; but to write a long one anew must not cost more than a message may.
MOST_HOUR_TOKENS = 16_000


class Sizing:
    """The size of one call. `cap` is its output cap, and `bound` what that was lowered for."""

    def __init__(self, prices: Prices, running: RunningTurn, model: Model, asked: Asked) -> None:
        self.cap = 0
        self.bound: Bound | None = None
        self._prices = prices
        self._running = running
        self._model = model
        self._size = asked.most_tokens
        self._sent = asked.sent
        # Long ones are dear enough to be written for five minutes; a summary is not sent again.
        self.is_for_hour = (
            asked.most_tokens <= MOST_HOUR_TOKENS
            and not asked.sent.is_summary
            and prices.has_hour(model)
        )
        # What so many output tokens cost at most, and likely: worked out before the account is
        # locked, as all other calls of its person wait for that.
        self._most_micros: dict[int, int] = {}
        self._likely_micros: dict[int, int] = {}

    def wanted(self, asked_for: int | None) -> int:
        """Return the most output tokens that the answer may have. Raises PriceUnknown."""
        most = self._model.max_output_tokens
        wanted = min(asked_for or most, most)
        if self._running.turn.thinks_longer and not self._sent.is_summary:
            # What it thinks is among what it puts out.
            wanted = max(wanted, LONGER_OUTPUT_TOKENS)
        self._most(wanted)
        self._likely(wanted)
        return wanted

    def fit(self, wanted: int, bounds: Sequence[Bound]) -> int:
        """Set the output cap to what can be paid for; return what to hold for it. Raises NoRoom.

        Called from the thread of the books, while the account is locked: where there is enough for
        the whole answer, nothing is priced here.
        """
        caps = [(self._affordable(bound, wanted), bound.left_micros, bound) for bound in bounds]
        cap, _, bound = min(caps, key=lambda found: found[:2])
        smallest = SMALLEST_THOUGHT_TOKENS if self._model.thinks else SMALLEST_OUTPUT_TOKENS
        if cap < min(wanted, smallest):
            raise NoRoom(bound)
        self.cap, self.bound = cap, bound if cap < wanted else None
        return self._most(cap)

    def _affordable(self, bound: Bound, wanted: int) -> int:
        """Return how long the answer may be by one bound.

        The limit of a message is held against what the call is likely to cost. Summaries, which the
        person did not ask for, have as much for themselves, some times over. All else bounds the
        worst case.
        """
        if bound.code != MESSAGE_LIMIT:
            return most_payable(self._most, wanted, bound.left_micros)
        running = self._running
        left = bound.left_micros + running.summaries_micros
        if self._sent.is_summary:
            limit = bound.left_micros + running.spent_micros
            left = SUMMARIES_SHARE * limit - running.summaries_micros
        return most_payable(self._likely, wanted, left)

    def _likely(self, output_tokens: int) -> int:
        if output_tokens not in self._likely_micros:
            turn = self._running.turn
            found = self._running.prefixes.likely(turn.conversation_id, self._model.id, self._sent)
            self._likely_micros[output_tokens] = self._prices.likely(
                self._model,
                found.cached_tokens,
                found.fresh_tokens,
                output_tokens,
                is_for_hour=self.is_for_hour,
            )
        return self._likely_micros[output_tokens]

    def _most(self, output_tokens: int) -> int:
        if output_tokens not in self._most_micros:
            self._most_micros[output_tokens] = self._prices.worst_case(
                self._model, self._size, output_tokens, is_for_hour=self.is_for_hour
            )
        return self._most_micros[output_tokens]
