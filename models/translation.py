"""Sentences for users, each in the language of whoever reads it.

A sentence's id is its English text, which is what a reader gets where a language has none. Nothing
is stored or compared by a sentence: programs go by codes, see `actions.sentences`.
"""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path

from babel.lists import format_list
from babel.support import NullTranslations, Translations

# The languages that users may choose from. English has no catalogue: it is what is translated.
LOCALES = ("en",)
CATALOGUES = Path(__file__).parent / "catalogues"

_locale: ContextVar[str] = ContextVar("locale", default=LOCALES[0])


def gettext(sentence: str, **values: object) -> str:
    """Return a sentence in the reader's language, with `%(name)s` put in."""
    translated = catalogue(_locale.get()).gettext(sentence)
    return translated % values if values else translated


def ngettext(one: str, many: str, number: int, **values: object) -> str:
    """Do so, by the number; it is put in as `%(num)s`."""
    translated = catalogue(_locale.get()).ngettext(one, many, number)
    return translated % {"num": number, **values}


def listed(parts: list[str]) -> str:
    """Join parts of a sentence as the reader's language does: `a, b, and c`."""
    return format_list(parts, locale=_locale.get())


def marked(sentence: str) -> str:
    """Mark a sentence of a table for the translators; `gettext` translates it when it is read."""
    return sentence


def speak(locale: str) -> None:
    """Address the reader of this request, or of this thread, in a language from now on."""
    _locale.set(known(locale))


@contextmanager
def speaking(locale: str | None) -> Generator[None]:
    """Address another reader meanwhile; None for one who has chosen no language."""
    before = _locale.set(known(locale or LOCALES[0]))
    try:
        yield
    finally:
        _locale.reset(before)


def known(locale: str) -> str:
    """Return a language that there is: the asked one, or English."""
    return locale if locale in LOCALES else LOCALES[0]


@cache
def catalogue(locale: str) -> NullTranslations:
    """Load the sentences of a language."""
    return Translations.load(CATALOGUES, [locale])
