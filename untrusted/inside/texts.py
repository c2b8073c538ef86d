"""Text files, in whatever encoding somebody's program wrote them."""

import codecs
import re

# Longer marks first: that of UTF-32 begins like that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no text has in it; form feeds, escapes and the like occur.
CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
HIGH_RUN = re.compile(rb"[\x80-\xff]+")
# Lead bytes of Shift-JIS that neither a Western nor a simplified Chinese text has in numbers: the
# syllables of Japanese.
KANA = re.compile(rb"\x82[\x9f-\xf1]|\x83[\x40-\x96]")
# The first bytes of Korean syllables end here; those of Chinese letters go on.
LAST_HANGUL = 0xC8
# In a Western text accents are few among plain letters.
MOST_HIGH = 0.5


def encoding_of(data: bytes) -> str | None:
    """Tell in which encoding `data` is text, or None if it is none."""
    marked = next((name for mark, name in MARKS if data.startswith(mark)), None)
    if marked is not None:
        return marked if _is_text(data, marked) else None
    return next((name for name in ("utf-8", *_older(data)) if _is_text(data, name)), None)


def decode(data: bytes) -> str:
    """Return the text of a file; where `encoding_of` knows none, what can be read of it."""
    return data.decode(encoding_of(data) or "utf-8", errors="replace")


def _older(data: bytes) -> list[str]:
    """List the encodings of before Unicode that `data` may be in, the likeliest first."""
    runs = HIGH_RUN.findall(data)
    high = sum(map(len, runs))
    likely: list[str] = []
    if len(KANA.findall(data)) * 4 > high / 2:
        likely.append("cp932")
    # Chinese and Korean write each letter in two bytes that are both high.
    if all(len(run) % 2 == 0 for run in runs):
        is_korean = max(map(_highest_first, runs), default=0) <= LAST_HANGUL
        likely += ["euc-kr", "gb2312"] if is_korean else ["gb2312", "euc-kr"]
    if high <= MOST_HIGH * len(data):
        likely.append("cp1252")
    return likely


def _highest_first(run: bytes) -> int:
    return max(run[::2])


def _is_text(data: bytes, encoding: str) -> bool:
    try:
        return not CONTROLS.search(data.decode(encoding))
    except UnicodeDecodeError:
        return False
