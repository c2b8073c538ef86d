"""Catalogues for tests: of a language that nobody speaks, and of English that is reworded."""

import random
from collections.abc import Callable

import pytest
from babel.support import NullTranslations

from models import translation

BEGIN, END = "⟦", "⟧"


class Pseudo(NullTranslations):
    """Puts every sentence in brackets: what has none did not come out of the catalogue."""

    def gettext(self, message: str) -> str:
        return f"{BEGIN}{message}{END}"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    ugettext, ungettext = gettext, ngettext


class Reworded(NullTranslations):
    """Says everything otherwise, and otherwise each time."""

    def gettext(self, message: str) -> str:
        return f"{message} Or so ({random.randrange(10**9)})."

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    ugettext, ungettext = gettext, ngettext


def spoken(monkeypatch: pytest.MonkeyPatch, words: NullTranslations) -> None:
    """Take every sentence from this catalogue, in all threads."""
    read: Callable[[str], NullTranslations] = lambda _: words  # noqa: E731
    monkeypatch.setattr(translation, "catalogue", read)
