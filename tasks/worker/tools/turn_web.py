"""What a turn has seen of the web: which addresses may be read in it, and what may be searched for.

What stands on a page may try to make the assistant carry out what it knows, in an address that it
makes up or in the words of a search. So an address is read only as it came, and once strangers'
words are in a turn, a search has no words but those that came from the user or from the web.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import islice
from threading import Lock
from urllib.parse import urlsplit
from uuid import UUID

from cachetools import TTLCache

from agent.turn import Turn
from gateways import web_addresses
from gateways.web_addresses import BadAddress
from models.base import utc_now

KEPT_SECONDS = 3600
KEPT_TURNS = 2_000
# Of what the user wrote, and of what earlier answers read, so many characters are taken in; what
# was left out is not known, and is refused.
MOST_HEARD, MOST_REMEMBERED = 200_000, 400_000
MOST_ADDRESSES_OF_TEXT = 500
MOST_STEMS, MOST_UNSPACED_CHARS = 200_000, 400_000
WORD = re.compile(r"\w+")
STEM_CHARS, ENDING_CHARS = 4, 3
ADDRESS = re.compile(r"https?://[^\s<>\"`|\\^{}]+", re.I)
BARE_ADDRESS = re.compile(r"(?<![\w@./-])(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?:/[^\s<>\"]*)?")
# What may stand at the end of an address and be of the sentence around it.
PUNCTUATION = ".,;:!?*_'\u2019\u201d\u00bb)]}"
# In no script that has spaces between words.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\uf900-\ufaff]")
# Words that say how to search, and nothing of anybody.
GENERAL = frozenset(
    re.findall(
        r"\w+",
        """
    a an and are as at be between by can did do does for from has have how in is it its many
    much near not of on or other out than that the their there these to under was were what when
    where which who why will with without about after before best buy cause causes compare
    comparison contact cost costs current date day definition difference effect effects example
    examples explained facts forecast full guide help history hours information latest list map
    meaning month new news now official online open opening page pdf phone price prices problem
    report result results review reviews schedule site source sources statistics study summary
    table ticket tickets time times timetable today tomorrow tutorial update versus vs weather
    website week wikipedia year
    """,
    )
)


class TurnWeb:
    """What one attempt at a message has seen of the web, or was told by its user."""

    def __init__(self, *, has_others_words: bool) -> None:
        """`has_others_words`: files came along, which may be of anybody."""
        self.searches = self.pages = 0
        # Held by whoever lets it know of its conversation, for its other calls wait for that.
        self.hearing = Lock()
        self.has_heard = False
        self._has_others_words = has_others_words
        self._addresses: set[str] = set()
        self._stems: set[str] = set()
        self._unspaced = ""

    def hear(self, texts: Iterable[str]) -> None:
        """Take in what the user wrote themselves: the first `MOST_HEARD` characters of it."""
        for text in _within(texts, MOST_HEARD):
            self._addresses.update(islice(addresses_in(text), MOST_ADDRESSES_OF_TEXT))
            self._learn(text)

    def see(self, text: str, addresses: Iterable[str] = ()) -> None:
        """Take in what came from the web, with the addresses that came beside it."""
        self._has_others_words = True
        self._addresses.update(addresses)
        self._addresses.update(islice(addresses_in(text), MOST_ADDRESSES_OF_TEXT))
        self._learn(text)

    def remember(self, texts: Iterable[str]) -> None:
        """Take in what earlier answers of the conversation had from the web: words, no addresses.

        It still stands before the assistant, with whatever it asks for; no more than the first
        `MOST_REMEMBERED` characters are known.
        """
        for text in _within(texts, MOST_REMEMBERED):
            self._has_others_words = True
            self._learn(text)

    def know_of_files(self) -> None:
        """Take in that the conversation has files, whose words are in no list."""
        self._has_others_words = True

    def may_read(self, address: str) -> bool:
        """Tell whether an address came into the turn as it stands."""
        return address in self._addresses

    def has_come(self, text: str) -> bool:
        """Tell whether all addresses in a text came into the turn, in whatever sentence they stood.

        A name of two parts alone counts as come: it carries nothing, and may be that of a file.
        """
        known = {_plain(address) for address in self._addresses}
        return all(_is_short(one) or _plain(one) in known for one in addresses_in(text))

    def may_search(self, query: str) -> bool:
        """Tell whether a query has no words but those that may leave."""
        return not self._has_others_words or all(map(self._is_known, _words(query)))

    def _learn(self, text: str) -> None:
        unspaced: list[str] = []
        for word in _words(text):
            if len(self._stems) < MOST_STEMS:
                self._stems.update(_stems(word))
            if UNSPACED.search(word):
                unspaced.append(word)
        if unspaced:
            self._unspaced = " ".join((self._unspaced, *unspaced))[:MOST_UNSPACED_CHARS]

    def _is_known(self, word: str) -> bool:
        year = utc_now().year
        if word in GENERAL or word in {str(year + off) for off in (-1, 0, 1)}:
            return True
        if UNSPACED.search(word):
            return word in self._unspaced
        return not self._stems.isdisjoint(_stems(word))


def of(turn: Turn) -> TurnWeb:
    """Return what an attempt has seen so far. All of a turn is in one process."""
    with _lock:
        key = turn.job_id, turn.attempt
        if key not in _turns:
            _turns[key] = TurnWeb(has_others_words=bool(turn.attachments))
        return _turns[key]


def forget(job_id: UUID, attempt: int) -> None:
    """Drop what an attempt has seen, which is over."""
    with _lock:
        _turns.pop((job_id, attempt), None)


def addresses_in(text: str) -> Iterator[str]:
    """Find addresses in a text, in the form in which they are compared."""
    found = [match[0] for match in ADDRESS.finditer(text)]
    for name in BARE_ADDRESS.finditer(text):
        found += [f"http://{name[0]}", f"https://{name[0]}"]
    for given in found:
        for form in {given, given.rstrip(PUNCTUATION), _balanced(given)}:
            try:
                yield web_addresses.canonical(form)
            except BadAddress:
                continue


def _within(texts: Iterable[str], most: int) -> Iterator[str]:
    """Yield texts until so many characters came; the last one is cut."""
    for text in texts:
        yield text[:most]
        most -= len(text)
        if most <= 0:
            return


def _plain(address: str) -> str:
    return address.partition("://")[2].rstrip("/" + PUNCTUATION)


def _is_short(address: str) -> bool:
    parts = urlsplit(address)
    return parts.netloc.count(".") == 1 and parts.path in ("", "/") and not parts.query


def _balanced(given: str) -> str:
    """Cut an address at the bracket that closes what stands around it."""
    depth = 0
    for at, letter in enumerate(given):
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            return given[:at]
    return given


def _words(text: str) -> Iterator[str]:
    for word in WORD.findall(unicodedata.normalize("NFKC", text).casefold()):
        yield from filter(None, word.split("_"))


def _stems(word: str) -> Iterator[str]:
    """Return how a word and its other forms begin; “ferry” and “ferries” have that in common.

    A number has no forms.
    """
    if len(word) <= STEM_CHARS or any(letter.isdigit() for letter in word):
        yield word
        return
    for length in range(max(STEM_CHARS, len(word) - ENDING_CHARS), len(word) + 1):
        yield word[:length]


_turns = TTLCache[tuple[UUID, int], TurnWeb, float](maxsize=KEPT_TURNS, ttl=KEPT_SECONDS)
_lock = Lock()
