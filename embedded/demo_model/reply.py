"""What the model answers, before it is written in any format."""

import math
import re
from dataclasses import dataclass, replace

from embedded.demo_model.conversation import Asked, ToolCall

BYTES_PER_TOKEN = 4
PICTURE_TOKENS = 1_000
WORD = re.compile(r"\s*\S+\s*")


@dataclass(frozen=True)
class Usage:
    """Tokens of one call. `input` has neither those read from nor written to a cache.

    `thoughts` are among the output; `tool_prompt` are among the input.
    """

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    thoughts: int = 0
    tool_prompt: int = 0
    # Of those written, how many are kept for an hour.
    cache_write_hour: int = 0

    @property
    def whole_input(self) -> int:
        """All that was sent, from wherever it came."""
        return self.input + self.cache_read + self.cache_write


@dataclass(frozen=True)
class Reply:
    """Words, then tool calls. `is_cut` when the output cap ended it."""

    text: str = ""
    calls: tuple[ToolCall, ...] = ()
    is_cut: bool = False
    # What is told of the thoughts before it.
    thoughts: str = ""
    # Words that stand where a provider refuses, which only some have apart from the others.
    refusal: str = ""

    @property
    def words(self) -> list[str]:
        """The text in the pieces that are streamed."""
        return WORD.findall(self.text) or ([self.text] if self.text else [])

    @property
    def tokens(self) -> int:
        """How long it is."""
        called = sum(len(call.name) + len(str(call.arguments)) for call in self.calls)
        return tokens(self.text + self.thoughts) + math.ceil(called / BYTES_PER_TOKEN)

    def within(self, cap: int | None) -> "Reply":
        """Shorten it to the output cap."""
        if cap is None or self.tokens <= cap:
            return self
        kept = ""
        for word in self.words:
            if tokens(kept + word) > cap:
                break
            kept += word
        return replace(self, text=kept, calls=(), is_cut=True)


def tokens(text: str) -> int:
    """Count a text's tokens, roughly as real models do."""
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def message_tokens(asked: Asked) -> list[tuple[str, int]]:
    """List the parts of a request, each with a text that identifies it, and its tokens."""
    instructions = f"{asked.system}{sorted(asked.tools)}"
    schemas = sum(tokens(str(schema)) for schema in asked.tools.values())
    counted = [(instructions, tokens(instructions) + schemas)]
    for said in asked.said:
        called = "".join(f"{call.name}{call.arguments}" for call in said.calls)
        size = tokens(said.text + called) + PICTURE_TOKENS * len(said.pictures) + 4
        counted.append((f"{said.role}{said.text}{called}{len(said.pictures)}", size))
    return counted
