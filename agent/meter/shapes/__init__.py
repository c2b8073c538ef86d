"""What each wire lets through of a request; all else is left out, or refused."""

from agent.catalogue import Wire
from agent.meter.shapes import (
    anthropic_messages,
    google,
    openai_completions,
    openai_responses,
)
from agent.meter.shapes.base import Cut, NotAllowed, Shape

SHAPES: dict[Wire, Shape] = {
    "anthropic-messages": anthropic_messages.REQUEST,
    "openai-completions": openai_completions.REQUEST,
    "openai-responses": openai_responses.REQUEST,
    "google-generative-ai": google.REQUEST,
}

__all__ = ["SHAPES", "Cut", "NotAllowed"]
