"""The words of a message as the assistant reads them, with what they quote."""

from channels.inbound import MessageArrived

# Of what is quoted, enough to know it by.
QUOTE_LENGTH = 1_000


def text_of(arrived: MessageArrived, heard: str = "") -> str:
    """Put a message together: what it replies to, what was forwarded or written, what was heard."""
    own = arrived.text
    if arrived.forwarded_from is not None:
        own = _forwarded(arrived.forwarded_from, own)
    parts = [_quoted(arrived.replies_to_text, QUOTE_LENGTH), own, heard]
    return "\n\n".join(part for part in parts if part.strip())


def _forwarded(whose: str, words: str) -> str:
    name = " ".join(whose.split()) or "somebody"
    return "\n".join(filter(None, [f"Forwarded from {name}:", _quoted(words)]))


def _quoted(words: str, most: int | None = None) -> str:
    if not words.strip():
        return ""
    shown = words if most is None or len(words) <= most else f"{words[:most]}…"
    return "\n".join(f"> {line}".rstrip() for line in shown.strip().splitlines())
