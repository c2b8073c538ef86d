"""A mail, and how it is rendered. Text and HTML come from the same words, so they never differ."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from models.schema.emails import EmailKind
from settings import get_settings


@dataclass(frozen=True)
class Action:
    """The one thing that a letter lets its reader do: a button, or in plain text a line."""

    label: str
    url: str


@dataclass(frozen=True)
class Fact:
    """A line of a table: `Paid` and `$10.00`."""

    name: str
    value: str


@dataclass(frozen=True)
class EmailContent:
    """What a letter says, as plain words: markup in them is shown as it is written."""

    kind: EmailKind
    subject: str
    title: str
    # Paragraphs before the table and the button, and small print after them.
    words: tuple[str, ...]
    facts: tuple[Fact, ...] = ()
    action: Action | None = None
    small_print: tuple[str, ...] = ()

    def as_text(self) -> str:
        return self._drawn("letter.txt")

    def as_html(self) -> str:
        return self._drawn("letter.html")

    def _drawn(self, template: str) -> str:
        settings = get_settings()
        return (
            _drawings()
            .get_template(template)
            .render(letter=self, product_name=settings.product_name, home=settings.public_url)
        )


def address_on_site(path: str, **query: str) -> str:
    """Return the address of a page as people open it from elsewhere."""
    asked = f"?{urlencode(query)}" if query else ""
    return f"{get_settings().public_url.rstrip('/')}{path}{asked}"


@lru_cache(maxsize=1)
def _drawings() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
