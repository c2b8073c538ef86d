"""Whether OpenAI tells our account what its models think: it tells only those that it has verified.

Others get a refusal in place of an answer. It costs a moment, so it is remembered for a while.
"""

import time
from collections.abc import Callable

from agent.meter.upstream import ProviderFailed
from agent.meter.wires import Body
from agent.meter.wires.base import part

REMEMBERED_SECONDS = 15 * 60.0
REFUSED = 400
# Words of the refusal.
ABOUT = ("reasoning", "summar", "verif")


class ThoughtSummaries:
    """What we know of it, for all calls of a worker."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._refused_until = float("-inf")

    def prepare(self, body: Body) -> None:
        """Do not ask for what was refused a while ago."""
        if self._clock() < self._refused_until:
            part(body, "reasoning").pop("summary", None)

    def is_refused(self, body: Body, failure: ProviderFailed) -> bool:
        """Tell whether a request failed for this alone; it does not ask for it any more then."""
        said = str(failure).lower()
        asked = "summary" in part(body, "reasoning")
        if failure.status != REFUSED or not asked or not all(word in said for word in ABOUT):
            return False
        self._refused_until = self._clock() + REMEMBERED_SECONDS
        self.prepare(body)
        return True
