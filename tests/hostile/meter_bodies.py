"""Requests that a cell with somebody's code in it could make of the meter."""

from collections.abc import AsyncGenerator, Callable
from typing import Any

Body = dict[str, Any]
URL = "https://attacker.example/?what-the-cell-knows"
DATA = "aGVsbG8="
MEGABYTE = 1024 * 1024

# Fields that are left out: by provider, what is put into the request beside what OpenClaw sends.
LEFT_OUT: dict[str, tuple[str, Body]] = {
    "tools on other servers": ("anthropic", {"mcp_servers": [{"type": "url", "url": URL}]}),
    "a container": ("anthropic", {"container": "container_011"}),
    "a dearer tier": ("anthropic", {"service_tier": "priority", "speed": "fast"}),
    "a dearer model instead": ("anthropic", {"fallbacks": "default"}),
    "edits by the provider": ("anthropic", {"context_management": {"edits": [{"type": "x"}]}}),
    "search by Anthropic": (
        "anthropic",
        {"tools": [{"type": "web_search_20250305", "name": "web_search"}]},
    ),
    "an earlier answer": ("openai", {"previous_response_id": "resp_1", "conversation": "conv_1"}),
    "an answer in the background": ("openai", {"background": True, "service_tier": "priority"}),
    "a stored prompt": ("openai", {"prompt": {"id": "pmpt_1"}}),
    "a cache for a day": ("openai", {"prompt_cache_retention": "24h", "prompt_cache_key": "k"}),
    "search by OpenAI": ("openai", {"tools": [{"type": "web_search"}]}),
    "files at OpenAI": (
        "openai",
        {"tools": [{"type": "file_search", "vector_store_ids": ["vs_1"]}]},
    ),
    "tools by MCP": ("openai", {"tools": [{"type": "mcp", "server_url": URL}]}),
    "many answers": ("compatible", {"n": 8, "best_of": 8}),
    "other models": ("compatible", {"models": ["dear/est"], "route": "fallback"}),
    "plugins": ("compatible", {"plugins": [{"id": "web"}], "transforms": ["x"]}),
    "search by options": ("compatible", {"web_search_options": {}, "prediction": {"content": "x"}}),
    "words by sound": ("compatible", {"modalities": ["audio"], "audio": {"voice": "a"}}),
    "a cached prompt": ("gemini", {"cachedContent": "cachedContents/1", "cached_content": "c/1"}),
    "the other spelling": (
        "gemini",
        {"generation_config": {"candidate_count": 8, "max_output_tokens": 10**6}},
    ),
    "many candidates": (
        "gemini",
        {"generationConfig": {"candidateCount": 8, "responseModalities": ["AUDIO"]}},
    ),
    "search beside functions": (
        "gemini",
        {"tools": [{"functionDeclarations": [{"name": "ls"}], "googleSearch": {}}]},
    ),
    "code beside functions": (
        "gemini",
        {"tools": [{"functionDeclarations": [{"name": "ls"}], "code_execution": {}}]},
    ),
}


def said(*parts: Body) -> Body:
    return {"messages": [{"role": "user", "content": list(parts)}]}


def asked(*items: Body) -> Body:
    return {"input": list(items)}


def shown(*parts: Body) -> Body:
    return {"contents": [{"role": "user", "parts": list(parts)}]}


def by_user(*parts: Body) -> Body:
    return {"role": "user", "content": list(parts)}


# Requests that are refused as a whole: what was said would not be the same without these parts.
REFUSED: dict[str, tuple[str, Body]] = {
    "an image by its address": (
        "anthropic",
        said({"type": "image", "source": {"type": "url", "url": URL}}),
    ),
    "a document by its address": (
        "anthropic",
        said({"type": "document", "source": {"type": "url", "url": URL}}),
    ),
    "a file of Anthropic's": (
        "anthropic",
        said({"type": "image", "source": {"type": "file", "file_id": "file_1"}}),
    ),
    "a PDF with many pages": (
        "anthropic",
        said(
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "application/pdf", "data": DATA},
            }
        ),
    ),
    "an image by its address within a result": (
        "anthropic",
        said(
            {
                "type": "tool_result",
                "tool_use_id": "a",
                "content": [{"type": "image", "source": {"type": "url", "url": URL}}],
            }
        ),
    ),
    "a cache of another kind": (
        "anthropic",
        said({"type": "text", "text": "a", "cache_control": {"type": "persistent"}}),
    ),
    "a picture that OpenAI fetches": (
        "openai",
        asked(by_user({"type": "input_image", "image_url": URL})),
    ),
    "a picture of OpenAI's": (
        "openai",
        asked(by_user({"type": "input_file", "file_id": "file-1"})),
    ),
    "a file that OpenAI fetches": (
        "openai",
        asked(by_user({"type": "input_file", "file_url": URL})),
    ),
    "an item that is remembered": ("openai", asked({"type": "item_reference", "id": "msg_1"})),
    "an answer that is kept": ("openai", {"store": True}),
    "a picture that a server fetches": (
        "compatible",
        said({"type": "image_url", "image_url": {"url": URL}}),
    ),
    "a file by its id": ("compatible", said({"type": "file", "file": {"file_id": "file-1"}})),
    "sound": ("compatible", said({"type": "input_audio", "input_audio": {"data": DATA}})),
    "a film": ("compatible", said({"type": "video_url", "video_url": {"url": URL}})),
    "an image address that only begins well": (
        "compatible",
        said({"type": "image_url", "image_url": {"url": f"data:image/png,{URL}"}}),
    ),
    "a file by its address": ("gemini", shown({"fileData": {"fileUri": URL}})),
    "a file by its other spelling": ("gemini", shown({"file_data": {"file_uri": URL}})),
    "a film at Google": (
        "gemini",
        shown({"inlineData": {"mimeType": "video/mp4", "data": DATA}}),
    ),
    "a file in a result": (
        "gemini",
        shown({"functionResponse": {"name": "a", "parts": [{"fileData": {"fileUri": URL}}]}}),
    ),
    "code that Google runs": ("gemini", shown({"executableCode": {"code": "print(1)"}})),
    "a role of its own": ("gemini", {"contents": [{"role": "owner", "parts": []}]}),
    "a number beyond all": ("anthropic", {"temperature": 10**400}),
    "a cap that is no number": ("anthropic", {"max_tokens": "1e9"}),
    "words instead of messages": ("compatible", {"messages": "hello"}),
    "a list of lists": ("compatible", {"messages": [[[]]]}),
}


def head(provider_body: bytes) -> bytes:
    """The beginning of a request, up to where its messages go on."""
    return b'{"model":"claude-sonnet-5-5","max_tokens":9,"messages":[' + provider_body


def over(first: bytes, rest: bytes, size: int) -> Callable[[], AsyncGenerator[bytes]]:
    """A document that begins with `first` and goes on with `rest`, and has no end of its own."""

    async def flow() -> AsyncGenerator[bytes]:
        yield first
        part = rest * (64 * 1024 // len(rest) + 1)
        for _ in range(size // len(part)):
            yield part
        yield b"]}"

    return flow


FLOODS: dict[str, Callable[[], AsyncGenerator[bytes]]] = {
    "empty lists": over(head(b""), b"[],", 30 * MEGABYTE),
    "lists in lists": over(head(b""), b"[", 30 * MEGABYTE),
    "objects in objects": over(head(b""), b'{"a":', 30 * MEGABYTE),
    "small numbers": over(head(b""), b"1,", 30 * MEGABYTE),
    "small texts": over(head(b""), b'"a",', 30 * MEGABYTE),
    "small fields": over(b"{", b'"a":1,', 30 * MEGABYTE),
    "escapes": over(head(b'"'), rb"\n", 30 * MEGABYTE),
    "escaped quotes": over(head(b'"'), rb"\"", 30 * MEGABYTE),
    "escaped escapes": over(head(b'"'), b"\\\\", 30 * MEGABYTE),
    "codes of letters": over(head(b'"'), rb"\u0041", 30 * MEGABYTE),
    "one number": over(head(b""), b"7", 30 * MEGABYTE),
    "one fraction": over(head(b"0."), b"7", 30 * MEGABYTE),
    "one text": over(head(b'"'), b"a", 60 * MEGABYTE),
    "short words": over(head(b'{"role":"user","content":"'), b"a ", 30 * MEGABYTE),
    "wide letters": over(head(b'"'), "\N{GRINNING FACE}".encode(), 30 * MEGABYTE),
    "blanks": over(b"", b" \n\t", 30 * MEGABYTE),
    "nothing but NUL": over(b"", b"\0", 30 * MEGABYTE),
    "another encoding": over("{".encode("utf-16"), '"∀":[],'.encode("utf-16-le"), 30 * MEGABYTE),
}
