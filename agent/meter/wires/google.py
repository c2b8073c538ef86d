"""Gemini's generateContent and streamGenerateContent."""

from agent.meter.call_ledger import Usage
from agent.meter.wires.base import (
    Body,
    Format,
    Tally,
    Words,
    are_said,
    drop_empty_tools,
    note_error,
    number,
    part,
    parts,
    size,
    texts,
    words_in,
)


class Google(Format):
    """Every chunk may carry the usage so far; the one with a finish reason has the last.

    `promptTokenCount` includes the cached; thoughts are paid like words and counted beside them.
    """

    def output_cap(self, body: Body) -> int | None:
        return number(part(body, "generationConfig").get("maxOutputTokens")) or None

    def prepare(self, body: Body, cap: int) -> None:
        body["generationConfig"] = {**part(body, "generationConfig"), "maxOutputTokens": cap}
        drop_empty_tools(body)

    def read(self, event: Body, tally: Tally) -> None:
        note_error(part(event, "error"), tally)
        usage = part(event, "usageMetadata")
        if usage:
            tally.usage = _usage(usage)
            tally.has_input = True
        for candidate in parts(event, "candidates"):
            for piece in parts(part(candidate, "content"), "parts"):
                tally.words_bytes += size(piece.get("text"))
            if candidate.get("finishReason") and usage:
                tally.is_final = True
        if usage and "promptFeedback" in event:
            tally.is_final = True

    def words(self, event: Body) -> list[Words]:
        return [
            place
            for candidate in parts(event, "candidates")
            for piece in parts(part(candidate, "content"), "parts")
            if not piece.get("thought")
            for place in words_in(piece, "text", candidate.get("index"))
        ]

    def thoughts(self, event: Body) -> str:
        pieces = [piece for piece in _pieces(event) if piece.get("thought")]
        return "".join(text for text in texts(pieces))

    def says(self, event: Body) -> bool:
        return any("functionCall" in piece for piece in _pieces(event)) or are_said(
            self.words(event)
        )

    def think(self, body: Body, *, is_longer: bool) -> None:
        config = part(part(body, "generationConfig"), "thinkingConfig")
        if is_longer and "thinkingLevel" in config:
            config["thinkingLevel"] = "HIGH"

    def instructions(self, body: Body) -> list[str]:
        return texts(part(body, "systemInstruction").get("parts"))

    def instruct(self, body: Body, shared: str, own: str) -> None:
        body["systemInstruction"] = {"parts": [{"text": shared}, {"text": own}]}

    def refusal(self, message: str) -> Body:
        return {"error": {"code": 422, "status": "INVALID_ARGUMENT", "message": message}}


def _pieces(event: Body) -> list[Body]:
    found = (part(candidate, "content") for candidate in parts(event, "candidates"))
    return [piece for content in found for piece in parts(content, "parts")]


def _usage(usage: Body) -> Usage:
    cached = number(usage.get("cachedContentTokenCount"))
    asked = number(usage.get("promptTokenCount")) + number(usage.get("toolUsePromptTokenCount"))
    return Usage(
        input_tokens=max(0, asked - cached),
        output_tokens=number(usage.get("candidatesTokenCount"))
        + number(usage.get("thoughtsTokenCount")),
        cache_read_tokens=cached,
    )
