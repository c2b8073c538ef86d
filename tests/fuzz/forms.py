"""The forms of a page, as a browser would send them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlsplit


@dataclass
class Form:
    """Where it goes, and what stands in it."""

    method: str
    path: str
    fields: dict[str, str] = field(default_factory=dict[str, str])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._open: Form | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        has = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._open = self._form(has)
        elif "name" in has and tag in ("input", "select", "textarea", "button"):
            # HTMX sends a field that stands alone by itself.
            home = self._form(has) if "hx-post" in has else self._open
            if home is not None:
                home.fields.setdefault(has["name"], has.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None

    def _form(self, has: dict[str, str]) -> Form:
        action = has.get("hx-post") or has.get("action", "")
        method = "POST" if "hx-post" in has else has.get("method", "get").upper()
        self.forms.append(Form(method, urlsplit(action).path))
        return self.forms[-1]


def forms_in(html: str) -> Iterator[Form]:
    """Read all forms of a page that lead anywhere."""
    reader = _Reader()
    reader.feed(html)
    return (form for form in reader.forms if form.path.startswith("/"))
