"""Passwords that somebody who guesses would try first.

The check is a look into a set and a few passes over the letters: its time grows with the length
of a password alone, so nobody slows the site down with one that is hard to judge.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from itertools import pairwise
from unicodedata import normalize

from zxcvbn.frequency_lists import FREQUENCY_LISTS

# Letters that people replace, hoping that nobody thinks of it.
_DISGUISES = str.maketrans("013457@$!|", "oieastasil")
# So many digits or signs around a common word make no other word of it.
_TRIMMINGS = re.compile(r"^[\W\d_]{0,2}(.*?)[\W\d_]{0,4}$", re.DOTALL)
_SHORTEST_WORD = 4


def is_common(password: str, about: Iterable[str]) -> bool:
    """Tell whether a password is in the list of the commonest, or says only what is known.

    `about` is what anybody knows of the person and the place: an address, a product's name.
    """
    written = _folded(password)
    known = {_folded(word) for word in about}
    whole = {written, _unit(written)}
    undisguised = {word.translate(_DISGUISES) for word in whole}
    trimmed = {_trimmed(word) for word in whole | undisguised}
    words = whole | undisguised | trimmed | {word.translate(_DISGUISES) for word in trimmed}
    return any(_is_obvious(word) or word in known for word in words)


def _is_obvious(word: str) -> bool:
    """Whether it is a common password, one letter again and again, or a row like 12345."""
    if len(word) < _SHORTEST_WORD:
        return True
    steps = {ord(later) - ord(earlier) for earlier, later in pairwise(word)}
    return word in _common() or (len(steps) == 1 and steps <= {-1, 0, 1})


def _trimmed(word: str) -> str:
    found = _TRIMMINGS.match(word)
    inner = found[1] if found else word
    return inner if len(inner) >= _SHORTEST_WORD else word


def _unit(word: str) -> str:
    """Return what a word repeats: `ab` of `ababab`, or the word itself."""
    twice = (word + word).find(word, 1)
    return word[:twice]


def _folded(word: str) -> str:
    return normalize("NFKC", word).casefold().strip()


@lru_cache(maxsize=1)
def _common() -> frozenset[str]:
    return frozenset(FREQUENCY_LISTS["passwords"])
