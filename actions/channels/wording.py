"""The words of a message as the assistant reads them, with what they quote."""

from channels.inbound import MessageArrived

# Of what is quoted, enough to know it by.
QUOTE_LENGTH = 1_000


def text_of(arrived: MessageArrived, heard: str = "") -> str:
    """Put a message together: what it replies to, what was forwarded or written, what was heard."""
    own = arrived.text
    if arrived.forwarded_from is not None:
        own = _forwarded(arrived.forwarded_from, own)
    return _joined(_quoted(arrived.replies_to_text, QUOTE_LENGTH), own, heard)


def place_of(arrived: MessageArrived, heard: str = "") -> tuple[int, int] | None:
    """Measure what `text_of` puts before and after the words; None if it changes them."""
    if arrived.forwarded_from is not None:
        return None
    before = len(_quoted(arrived.replies_to_text, QUOTE_LENGTH))
    return before, len(heard) if heard.strip() else 0


def reworded(text: str, place: tuple[int, int], words: str) -> str:
    """Put other words into the place that a message has for them."""
    before, after = place
    return _joined(text[:before], words, text[len(text) - after :])


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part.strip())


def _forwarded(whose: str, words: str) -> str:
    name = " ".join(whose.split()) or "somebody"
    return "\n".join(filter(None, [f"Forwarded from {name}:", _quoted(words)]))


def _quoted(words: str, most: int | None = None) -> str:
    if not words.strip():
        return ""
    shown = words if most is None or len(words) <= most else f"{words[:most]}…"
    return "\n".join(f"> {line}".rstrip() for line in shown.strip().splitlines())
