"""Where a text may be cut: between paragraphs, lines, words; never within what is one sign."""

import unicodedata
from collections.abc import Callable, Sequence

JOINER = "\u200d"
# Spaces that hold words together.
NO_BREAK = "\u00a0\u2007\u202f\u2060"
SKIN_TONES = range(0x1F3FB, 0x1F400)
REGIONAL = range(0x1F1E6, 0x1F200)
TAGS = range(0xE0000, 0xE0080)
# Vowels and ends of a Korean syllable that is written in parts.
HANGUL_PARTS = range(0x1160, 0x1200)
# The class of signs that join the letters of Indian scripts.
VIRAMA = 9
# No sign is longer, but a heap of marks may be.
MOST_JOINED = 64

Border = Callable[[str, int], bool]


def _is_paragraphs(text: str, at: int) -> bool:
    return text.startswith("\n\n", at)


def _is_lines(text: str, at: int) -> bool:
    return text.startswith("\n", at)


def _is_words(text: str, at: int) -> bool:
    sign = text[at : at + 1]
    is_space = sign.isspace() and sign not in NO_BREAK
    return is_space and not (joins(text, at) or joins(text, at + 1))


BORDERS: tuple[Border, ...] = (_is_paragraphs, _is_lines, _is_words)
# So much of the room has to be used before such a border.
SHARES = (0.25, 0.5, 0.5)


def last_border(text: str, start: int, end: int, is_blocked: Sequence[int]) -> int | None:
    """Return the best place for a cut after `start`, up to `end`, as late as may be.

    `is_blocked` tells of each place from `start` on whether it is none. A place that leaves most of
    the room unused is taken only where there is no better one.
    """
    room = end - start
    for shares in (SHARES, (0.0, 0.0, 0.0)):
        for is_border, share in zip(BORDERS, shares, strict=True):
            for at in range(end, start + int(room * share), -1):
                if is_border(text, at) and not is_blocked[at - start]:
                    return at
    return None


def first_border(text: str, start: int, end: int) -> int | None:
    """Return the best place for a beginning between `start` and `end`, as early as may be."""
    for is_border in BORDERS:
        for at in range(start, end):
            if is_border(text, at):
                return at
    return None


def before_sign(text: str, start: int, at: int) -> int:
    """Return the last place up to `at` that is not within a sign; `at` if there is none near."""
    for place in range(at, max(start, at - MOST_JOINED), -1):
        if not joins(text, place):
            return place
    return at


def after_sign(text: str, at: int) -> int:
    """Return the first place from `at` on that is not within a sign; `at` if there is none near."""
    for place in range(at, min(len(text), at + MOST_JOINED)):
        if not joins(text, place):
            return place
    return at


def joins(text: str, at: int) -> bool:
    """Tell whether what stands before a place and what stands after it are one sign."""
    if not 0 < at < len(text):
        return False
    before, after = text[at - 1], text[at]
    code = ord(after)
    if JOINER in (before, after) or code in SKIN_TONES or code in TAGS or code in HANGUL_PARTS:
        return True
    if code in REGIONAL:
        return _flags_before(text, at) % 2 == 1
    if unicodedata.category(after).startswith("M"):
        return True
    return unicodedata.combining(before) == VIRAMA and after.isalpha()


def _flags_before(text: str, at: int) -> int:
    """Count the halves of flags right before a place."""
    start = at
    while start > 0 and ord(text[start - 1]) in REGIONAL:
        start -= 1
    return at - start
