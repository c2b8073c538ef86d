# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# lxml has no types.
"""What a page has and nobody who looks at it sees: it goes before the page is read.

Instructions for assistants are hidden in such places. What only a style sheet elsewhere or a script
hides cannot be told from here.
"""

import re

from lxml.html import HtmlElement

# Neither seen, nor words of the page.
UNSEEN_TAGS = (
    *("script", "style", "template", "noscript", "iframe", "object", "embed", "svg", "math"),
    *("canvas", "audio", "video", "dialog", "select", "textarea", "head"),
)
HIDING = re.compile(
    r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|content-visibility\s*:\s*hidden"
    r"|opacity\s*:\s*0*(?:\.0+)?\s*(?:;|!|$)|font-size\s*:\s*0*(?:\.0+)?(?:px|em|rem|pt|%)?\s*(?:;|!|$)"
    r"|(?:left|top|right|bottom|text-indent)\s*:\s*-\s*[0-9]{3,}"
    r"|(?:max-)?(?:height|width)\s*:\s*0(?:px)?\s*(?:;|!|$)|clip\s*:\s*rect\(\s*0|clip-path\s*:\s*inset\(\s*(?:50|100)%"
    r"|transform\s*:\s*scale\(\s*0\s*\)|color\s*:\s*transparent",
    re.I,
)
COLOUR = re.compile(r"(?<![-\w])color\s*:\s*([^;!]+)", re.I)
GROUND = re.compile(r"background(?:-color)?\s*:\s*([^;!]+)", re.I)
# `.note, #more { … }` in the page's own style sheet; nothing cleverer.
STYLE_RULE = re.compile(r"([^{}]{1,500})\{([^{}]{0,2000})\}")
SIMPLE_SELECTOR = re.compile(r"(?:[a-z][a-z0-9]*)?([.#])([A-Za-z_][\w-]*)")
STYLE_BYTES = 200_000
# Marks without width, and letters of tags: they carry words that nobody sees.
INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)


def strip(tree: HtmlElement) -> None:
    """Take everything out of a page that is not to be seen on it."""
    classes, ids = _hidden_by_style(tree)
    for element in list(tree.iter()):
        if _is_hidden(element, classes, ids):
            drop(element)


def visible(text: str) -> str:
    """Return a text without letters that cannot be seen."""
    return INVISIBLE.sub("", text)


def _is_hidden(element: HtmlElement, classes: set[str], ids: set[str]) -> bool:
    if not isinstance(element.tag, str):
        # A comment, or an instruction to some program.
        return True
    if element.getparent() is None or element.tag == "body":
        return False
    given = element.attrib
    if element.tag in UNSEEN_TAGS and element.tag != "head":
        return True
    if "hidden" in given or given.get("aria-hidden", "").strip().lower() == "true":
        return True
    if element.tag == "input" or given.get("type", "").lower() == "hidden":
        return True
    return (
        _is_hiding(given.get("style", ""))
        or given.get("id", "") in ids
        or not classes.isdisjoint(given.get("class", "").split())
    )


def _is_hiding(style: str) -> bool:
    if not style:
        return False
    if HIDING.search(style):
        return True
    colour, ground = COLOUR.search(style), GROUND.search(style)
    return colour is not None and ground is not None and _same(colour[1], ground[1])


def _same(colour: str, ground: str) -> bool:
    """Tell whether letters have the colour of what is behind them, however it is named."""
    names = {"white": "#fff", "black": "#000"}
    one, other = (names.get(name, name) for name in (_plain(colour), _plain(ground)))
    return _short(one) == _short(other)


def _plain(colour: str) -> str:
    return "".join(colour.lower().split())


def _short(colour: str) -> str:
    is_long = len(colour) == 7 and colour[1::2] == colour[2::2]
    return f"#{colour[1::2]}" if is_long else colour


def _hidden_by_style(tree: HtmlElement) -> tuple[set[str], set[str]]:
    """Find the classes and ids that the page's own style sheets hide."""
    found: dict[str, set[str]] = {".": set(), "#": set()}
    sheets = " ".join(sheet.text or "" for sheet in tree.iter("style"))[:STYLE_BYTES]
    for selectors, style in STYLE_RULE.findall(sheets):
        if _is_hiding(style):
            for selector in selectors.split(","):
                simple = SIMPLE_SELECTOR.fullmatch(selector.strip())
                if simple:
                    found[simple[1]].add(simple[2])
    return found["."], found["#"]


def drop(element: HtmlElement) -> None:
    """Take an element out, but not the words behind it."""
    parent = element.getparent()
    if parent is None:
        return
    tail, before = element.tail or "", element.getprevious()
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    element.tail = None
    parent.remove(element)
