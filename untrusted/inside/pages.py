# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# lxml has no types.
"""Pages of the web, read for what they say: as Markdown, without what is around it or hidden."""

import codecs
import re
from dataclasses import dataclass
from urllib.parse import urljoin

import trafilatura
from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring
from trafilatura.settings import use_config

from untrusted.inside import hidden, texts

# A page that says less by what was found than this share of its words is shown whole.
LEAST_SHARE = 0.35
WHOLE_CHARS = 6_000
TITLE_CHARS = 200
LINK_CHARS = 300
BLOCKS = (
    *("p", "div", "section", "article", "main", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6"),
    *("dt", "dd", "blockquote", "pre", "table", "ul", "ol", "br", "figcaption", "address"),
)
BESIDE = ("footer", "aside", "form", "button")
NOTICE = re.compile(r"cookie|consent|gdpr|sidebar|breadcrumb", re.I)
NOTICE_CHARS = 1_500
WHOLE = ("html", "body", "main", "article")
DATE = re.compile(r"\b(?:19|20)[0-9]{2}-[01][0-9]-[0-3][0-9]")
DATES = (
    "//meta[@property='article:published_time']/@content",
    "//meta[@property='og:updated_time']/@content",
    "//meta[@name='date' or @name='dc.date' or @itemprop='datePublished']/@content",
    "//*[@itemprop='datePublished']/@datetime",
    "//time/@datetime",
)
LINK = re.compile(r"\[([^\]\n]{0,300})\]\(([^)\s]*)\)")

_config = use_config()
_config.set("DEFAULT", "EXTRACTION_TIMEOUT", "0")
_config.set("DEFAULT", "MAX_FILE_SIZE", "20000000")


@dataclass(frozen=True)
class Page:
    """What a page says: its title, its day if it names one, and its words."""

    title: str
    day: str
    text: str


class NoPage(Exception):
    """There is nothing to be read."""


def read(data: bytes, charset: str, url: str) -> Page:
    """Read HTML that came from `url`, whose server named `charset`, if it did. Raises NoPage."""
    tree = _parsed(data, charset)
    title, day = _title(tree), _day(tree)
    hidden.strip(tree)
    etree.strip_elements(tree, "nav", with_tail=False)
    for element in list(tree.iter()):
        if _is_notice(element):
            hidden.drop(element)
    text = _words(tree, url)
    if not text:
        raise NoPage
    return Page(hidden.visible(title)[:TITLE_CHARS], day, hidden.visible(text))


def _parsed(data: bytes, charset: str) -> HtmlElement:
    is_declared = b"charset" in data[:4096].lower()
    declared = _known(charset) or (None if is_declared else texts.encoding_of(data))
    parser = HTMLParser(encoding=declared, remove_pis=True)
    try:
        return document_fromstring(data, parser=parser)
    except (etree.ParserError, etree.XMLSyntaxError, ValueError) as error:
        raise NoPage from error


def _known(charset: str) -> str | None:
    try:
        return codecs.lookup(charset).name if charset else None
    except LookupError:
        return None


def _title(tree: HtmlElement) -> str:
    for path in ("//meta[@property='og:title']/@content", "//title/text()", "//h1//text()"):
        found = " ".join(" ".join(map(str, tree.xpath(path)[:3])).split())
        if found:
            return found
    return ""


def _day(tree: HtmlElement) -> str:
    for path in DATES:
        for given in tree.xpath(path)[:3]:
            found = DATE.search(str(given))
            if found:
                return found[0]
    return ""


def _words(tree: HtmlElement, url: str) -> str:
    """Return what a page says; if little of it was found, all that stands on it."""
    whole = _whole(tree, url)
    made = trafilatura.extract(
        tree,
        url=url,
        output_format="markdown",
        include_links=True,
        include_tables=True,
        include_comments=True,
        favor_recall=True,
        with_metadata=False,
        config=_config,
    )
    found = LINK.sub(_short_link, made or "").strip()
    said, all_said = (len(LINK.sub(r"\1", one)) for one in (found, whole))
    is_little = all_said <= WHOLE_CHARS and said < LEAST_SHARE * all_said
    return whole if is_little or not found else found


def _short_link(link: re.Match[str]) -> str:
    is_usable = link[2].startswith(("http://", "https://")) and len(link[2]) <= LINK_CHARS
    return link[0] if is_usable else link[1]


def _whole(tree: HtmlElement, url: str) -> str:
    """Return all words of a page, line by line, without what stands beside them."""
    lines: list[str] = [""]
    body = tree.find("body")
    _collect(body if body is not None else tree, url, lines)
    clean = (" ".join(line.split()) for line in lines)
    return LINK.sub(_short_link, "\n".join(line for line in clean if line))


def _collect(top: HtmlElement, url: str, lines: list[str]) -> None:
    walk = etree.iterwalk(top, events=("start", "end"))
    for event, element in walk:
        is_beside = element.tag in BESIDE
        if is_beside and event == "start":
            walk.skip_subtree()
            continue
        before, behind = _around(element, url) if not is_beside else ("", "")
        if element.tag in BLOCKS:
            lines.append("")
        if event == "start":
            lines[-1] += before + (element.text or "")
        else:
            lines[-1] += behind + (element.tail or "")


def _around(element: HtmlElement, url: str) -> tuple[str, str]:
    """Return what stands before and behind the words of an element, in Markdown."""
    if element.tag in ("td", "th"):
        return "", " "
    target = element.get("href", "").strip() if element.tag == "a" else ""
    if not target:
        return "", ""
    try:
        return "[", f"]({urljoin(url, target)})"
    except ValueError:
        return "", ""


def _is_notice(element: HtmlElement) -> bool:
    """Tell whether something is by its name beside the page; a body may be named so too."""
    if element.getparent() is None or element.tag in WHOLE:
        return False
    if not NOTICE.search(f"{element.get('class', '')} {element.get('id', '')}"):
        return False
    return sum(map(len, element.itertext())) < NOTICE_CHARS
