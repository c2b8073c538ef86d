"""Colours for code, in the languages that people use, for as long as there is time.

A lexer is a heap of regular expressions, and some take minutes over input that was made for it. So
the languages are few, each measured on hostile input (tests/hostile), all code of one answer shares
a time, and what still goes wrong is ended with the helper.
"""

import html
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from io import StringIO
from typing import Any

from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import (
    get_lexer_by_name,  # pyright: ignore[reportUnknownVariableType]  # Pygments has no types
)
from pygments.token import Text

# A longer block is shown plain.
MAX_CHARS = 12_000
# Of the processor, for all blocks of one answer; what is left then is shown plain.
SECONDS = 0.4
# How many pieces of code are coloured between two looks at the clock.
LOOK_EVERY = 64
LANGUAGES = (
    *("bash", "c", "console", "cpp", "csharp", "css", "dart", "diff", "docker", "go", "html"),
    *("ini", "java", "javascript", "json", "kotlin", "make", "php", "powershell", "python", "r"),
    *("ruby", "rust", "scss", "sql", "swift", "toml", "typescript", "xml", "yaml"),
)
# What models also write, and the language on the list that it is coloured as.
ALSO = {"jsonc": "json", "tsx": "typescript", "jsx": "javascript"}


@lru_cache(maxsize=1)
def lexers() -> Mapping[str, Lexer]:
    """Return the lexer of each name that a language goes by."""
    found: dict[str, Lexer] = {}
    for name in LANGUAGES:
        lexer: Lexer = get_lexer_by_name(name, stripnl=False, ensurenl=False)
        found |= dict.fromkeys((name, *lexer.aliases), lexer)
    return {**{name: found[same] for name, same in ALSO.items()}, **found}


class Ink:
    """The colours of one answer, until its time is used up."""

    def __init__(self) -> None:
        self._left_seconds = SECONDS
        self._ends = 0.0

    def colour(self, code: str, language: str) -> str:
        """Return `code` as HTML, coloured as far as its language is known and there is time."""
        lexer = lexers().get(language.lower())
        if lexer is None or len(code) > MAX_CHARS or self._left_seconds <= 0:
            return html.escape(code)
        began = time.process_time()
        self._ends = began + self._left_seconds
        made = StringIO()
        _formatter().format(self._pieces(lexer, code), made)
        self._left_seconds -= time.process_time() - began
        return made.getvalue()

    def _pieces(self, lexer: Lexer, code: str) -> Iterator[tuple[Any, str]]:
        pieces: Iterator[tuple[int, Any, str]] = iter(lexer.get_tokens_unprocessed(code))
        for number, (at, kind, piece) in enumerate(pieces):
            if number % LOOK_EVERY == 0 and time.process_time() > self._ends:
                yield Text, code[at:]
                return
            yield kind, piece


@lru_cache(maxsize=1)
def _formatter() -> HtmlFormatter[str]:
    return HtmlFormatter[str](nowrap=True)
