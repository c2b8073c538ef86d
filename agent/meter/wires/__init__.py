"""The formats that providers speak, as far as the meter must understand them.

A wire reads and lowers the output cap in a request, and reads usage out of an answer. Everything
else passes through unread.
"""

from agent.catalogue import Wire
from agent.meter.wires.anthropic_messages import AnthropicMessages
from agent.meter.wires.base import Body, Format, Tally
from agent.meter.wires.google import Google
from agent.meter.wires.openai_completions import OpenAICompletions
from agent.meter.wires.openai_responses import OpenAIResponses

FORMATS: dict[Wire, Format] = {
    "anthropic-messages": AnthropicMessages(),
    "openai-completions": OpenAICompletions(),
    "openai-responses": OpenAIResponses(),
    "google-generative-ai": Google(),
}

__all__ = ["FORMATS", "Body", "Format", "Tally"]
