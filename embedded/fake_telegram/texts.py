"""Texts as Telegram keeps them: cleaned, trimmed, and measured in UTF-16 units."""

from dataclasses import dataclass

from embedded.fake_telegram.errors import bad_request

# Line separators, marks of direction and three combining strokes are taken out of all texts.
DROPPED = frozenset({"\r", "\u030a", "\u0333", "\u033f", *map(chr, range(0x2028, 0x202F))})
MOST_BYTES = 1 << 15
LAST_OF_ONE_UNIT = "\uffff"


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


@dataclass(frozen=True)
class Cleaned:
    """A text without what Telegram takes out of it."""

    text: str
    # Where each character began in what was given, and its end, and where that is in `text` now.
    places: dict[int, int]

    @property
    def given_length(self) -> int:
        return max(self.places)


def cleaned(text: str) -> Cleaned:
    """Clean a text; refuse one that is no Unicode or far too long."""
    try:
        size = len(text.encode())
    except UnicodeEncodeError as broken:
        raise bad_request("strings must be encoded in UTF-8") from broken
    if size > MOST_BYTES:
        raise bad_request("text is too long")
    kept: list[str] = []
    places = {0: 0}
    before = after = 0
    for char in text:
        units = 1 + (char > LAST_OF_ONE_UNIT)
        new = _cleaned_char(char)
        kept.append(new)
        before += units
        after += units if new else 0
        places[before] = after
    return Cleaned("".join(kept), places)


def _cleaned_char(char: str) -> str:
    if char in DROPPED:
        return ""
    return " " if char < " " and char != "\n" else char


def trimmed(text: str, first_kept: int) -> tuple[str, int]:
    """Take spaces off the end, and off the beginning up to the UTF-16 offset `first_kept`.

    Returns the text and how many units went from its beginning.
    """
    text = text.rstrip()
    spaces = len(text) - len(text.lstrip(" \n"))
    taken = min(spaces, first_kept)
    return text[taken:], taken
