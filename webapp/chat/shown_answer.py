"""What a browser has of one job's answer, and the events of a live stream that add to it."""

import json
from dataclasses import dataclass, replace

from gateways.live_events import ThoughtShown, ToolUsed
from gateways.partial_answer import PartialAnswer
from models.schema.jobs import OVER, Job
from webapp.chat.frames import Cursor, frame
from webapp.chat.growing_answer import GrowingAnswer, Rendered
from webapp.chat.tool_names import in_words
from webapp.chat.views import Standing


@dataclass
class ShownAnswer:
    """What the browser has of a job: up to which event, and how the row stood."""

    told: PartialAnswer
    standing: Standing
    answer: GrowingAnswer

    @classmethod
    def of(
        cls, job: Job, standing: Standing, told: PartialAnswer, shown: Rendered
    ) -> "ShownAnswer":
        answer = GrowingAnswer(job.id, told.attempt, told.text, shown)
        return cls(replace(told, text=""), standing, answer)

    @property
    def is_over(self) -> bool:
        return self.standing.status in OVER

    @property
    def cursor(self) -> Cursor:
        """Where the browser is once it has what is written next."""
        return Cursor(self.told.last_id, self.answer.job_id, self.answer.closed)

    def ended(self, made: Rendered) -> str:
        """Write the new end of the answer, and the blocks that are finished by now."""
        return self._frame("answer", html=made.html, tail=made.tail)

    def continued(self, text: str) -> str:
        """Write plain text that only continues the last paragraph."""
        return self._frame("text", text=text)

    def doing(self, payload: ToolUsed | ThoughtShown) -> str:
        """Write what the assistant is doing, or thinking of."""
        if isinstance(payload, ToolUsed):
            return self._frame("tool", words=in_words(payload.name))
        return self._frame("thought", words=payload.words)

    def _frame(self, kind: str, **data: str) -> str:
        whose = {"job": str(self.answer.job_id), "attempt": self.told.attempt}
        return frame(kind, json.dumps(whose | data, separators=(",", ":")), self.cursor)
