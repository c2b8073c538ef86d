"""Gemini's generateContent."""

from typing import Any

from embedded.demo_model.cache import MINUTES, Block, block, in_pieces
from embedded.demo_model.conversation import Asked, Body, Said, ToolCall, objects, part, words
from embedded.demo_model.reply import Reply, Usage
from embedded.demo_model.wires.base import Writer, data, picture

STATUSES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    503: "UNAVAILABLE",
}


class Gemini(Writer):
    """The last chunk carries the usage; the model and the streaming are in the address."""

    @staticmethod
    def read(body: Body) -> Asked:
        tools = [one for tool in objects(body.get("tools")) for one in objects(_declarations(tool))]
        instruction = part(body, "systemInstruction") or part(body, "system_instruction")
        return Asked(
            model=str(body.get("model", "")),
            system=words(instruction.get("parts")),
            said=tuple(one for turn in objects(body.get("contents")) for one in _said(turn)),
            tools={str(one.get("name")): _schema(one) for one in tools},
            max_output_tokens=part(body, "generationConfig").get("maxOutputTokens"),
            is_stream=bool(body.get("stream")),
        )

    @staticmethod
    def blocks(body: Body) -> list[Block]:
        instruction = part(body, "systemInstruction") or part(body, "system_instruction")
        found = [*objects(body.get("tools")), *objects(instruction.get("parts"))]
        found += [one for turn in objects(body.get("contents")) for one in objects(turn["parts"])]
        return list(in_pieces([block(one) for one in found], 5 * MINUTES))

    def begin(self) -> bytes:
        return b""

    def think(self, thoughts: str) -> bytes:
        return data([self._chunk([{"text": thoughts, "thought": True}])])

    def word(self, delta: str) -> bytes:
        return data([self._chunk([{"text": delta}])])

    def end(self, reply: Reply, *, tells_usage: bool) -> bytes:
        parts = [_call(call) for call in reply.calls] or [{"text": ""}]
        return data([self._chunk(parts, _reason(reply), tells_usage=tells_usage)])

    def whole(self, reply: Reply) -> Body:
        parts = [{"text": reply.text}] if reply.text else []
        parts += [_call(call) for call in reply.calls]
        return self._chunk(parts, _reason(reply), tells_usage=True)

    @staticmethod
    def error(status: int, message: str) -> Body:
        name = STATUSES.get(status, "INTERNAL")
        return {"error": {"code": status, "message": message, "status": name}}

    def _chunk(
        self, parts: list[Body], reason: str | None = None, *, tells_usage: bool = False
    ) -> Body:
        candidate: Body = {"content": {"role": "model", "parts": parts}, "index": 0}
        if reason:
            candidate["finishReason"] = reason
        chunk: Body = {"candidates": [candidate], "modelVersion": self.model, "responseId": self.id}
        if tells_usage:
            chunk["usageMetadata"] = _usage(self.usage)
        return chunk


def _declarations(tool: Body) -> Any:
    return tool.get("functionDeclarations") or tool.get("function_declarations")


def _schema(declaration: Body) -> Body:
    return part(declaration, "parametersJsonSchema") or part(declaration, "parameters")


def _said(turn: Body) -> list[Said]:
    parts = objects(turn.get("parts"))
    calls = [part(one, "functionCall") for one in parts if "functionCall" in one]
    results = [part(one, "functionResponse") for one in parts if "functionResponse" in one]
    inline = [part(one, "inlineData") for one in parts if "inlineData" in one]
    if turn.get("role") == "model":
        used = [
            ToolCall(str(one.get("id", f"call_{at}")), str(one.get("name")), part(one, "args"))
            for at, one in enumerate(calls)
        ]
        return [Said("assistant", words(parts), calls=tuple(used))]
    said = [Said("tool", _result(part(one, "response"))) for one in results]
    text = words(parts)
    pictures = [picture(str(one.get("mimeType")), str(one.get("data", ""))) for one in inline]
    if text or pictures or not said:
        said.append(Said("user", text, tuple(pictures)))
    return said


def _result(response: Body) -> str:
    return "\n".join(str(value) for value in response.values())


def _call(call: ToolCall) -> Body:
    return {"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}}


def _reason(reply: Reply) -> str:
    return "MAX_TOKENS" if reply.is_cut else "STOP"


def _usage(usage: Usage) -> Body:
    # The prompt includes what was cached; thoughts and tools' prompts are counted beside.
    counted = {
        "promptTokenCount": usage.whole_input - usage.tool_prompt,
        "candidatesTokenCount": usage.output - usage.thoughts,
        "totalTokenCount": usage.whole_input + usage.output,
        "cachedContentTokenCount": usage.cache_read,
        "thoughtsTokenCount": usage.thoughts,
        "toolUsePromptTokenCount": usage.tool_prompt,
    }
    return {name: count for name, count in counted.items() if count}
