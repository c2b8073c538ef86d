"""Decides what is answered to a request: by its script if it has one, else by the rules."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from embedded.demo_model import replies
from embedded.demo_model.cache import Block, PromptCache
from embedded.demo_model.conversation import Asked, ToolCall
from embedded.demo_model.prompt import sent
from embedded.demo_model.replies.summaries import is_asked_for
from embedded.demo_model.reply import Reply, Usage
from embedded.demo_model.script import OPENING, Script, Stop, parse


@dataclass(frozen=True)
class Plan:
    """An answer and how it is to be given; with a status it is refused instead."""

    reply: Reply
    usage: Usage
    pause_seconds: float
    stop: Stop | None = None
    status: int | None = None
    tells_usage: bool = True


class Planner:
    """Plans answers; remembers prompts for their cache, and how often it was told to refuse."""

    def __init__(self, pause_seconds: float, *, is_scriptable: bool) -> None:
        self._pause_seconds = pause_seconds
        self._is_scriptable = is_scriptable
        self._cache = PromptCache()
        self._refused: Counter[str] = Counter()

    def plan(self, asked: Asked, blocks: Sequence[Block], *, pays_for_writing: bool) -> Plan:
        """Plan the answer to a request. Raises NoSuchDirective."""
        script = self._script(asked)
        is_last = len(asked.done) >= len(script.tools)
        if is_last and script.status and self._refuses(asked, script):
            return Plan(Reply(), Usage(), 0, status=script.status)
        reply = _reply(asked, script).within(asked.max_output_tokens)
        reply = replace(reply, thoughts=script.thoughts, refusal=script.refusal)
        counted = self._cache.usage(
            asked.model, blocks, reply.tokens, pays_for_writing=pays_for_writing
        )
        pause = script.pause_seconds
        return Plan(
            reply=reply,
            usage=script.usage or counted,
            pause_seconds=self._pause_seconds if pause is None else pause,
            stop=script.stop if is_last else None,
            tells_usage=script.tells_usage or not is_last,
        )

    def _script(self, asked: Asked) -> Script:
        text = asked.question.text
        return (
            parse(sent(asked.question).words)
            if self._is_scriptable and OPENING in text and not is_asked_for(asked)
            else Script()
        )

    def _refuses(self, asked: Asked, script: Script) -> bool:
        if script.refusals is None:
            return True
        # The same words at the same place of a conversation are the same request, tried again.
        request = f"{len(asked.said)} {asked.question.text}"
        self._refused[request] += 1
        if self._refused[request] <= script.refusals:
            return True
        del self._refused[request]
        return False


def _reply(asked: Asked, script: Script) -> Reply:
    if len(asked.done) < len(script.tools):
        name, arguments = script.tools[len(asked.done)]
        return Reply(calls=(ToolCall(f"call_{len(asked.done)}", name, arguments),))
    if script.text is not None:
        return Reply(script.text)
    return replies.report(asked) if script.tools else replies.reply(asked)
