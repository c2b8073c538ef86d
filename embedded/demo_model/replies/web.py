"""Looks something up on the web when asked in plain words: searches, reads, and cites."""

import re
from collections.abc import Sequence

from embedded.demo_model.conversation import ToolCall
from embedded.demo_model.prompt import Moment
from embedded.demo_model.reply import Reply

SEARCH, READ = "my__web_search", "my__read_page"
LOOK_UP = re.compile(
    r"\b(?:look(?:ing)? up|google|find out(?: about)?|research|"
    r"(?:search|look) (?:(?:on |in )?the (?:web|internet)|online)(?: (?:for|about))?)\b[\s:,]*"
    r"(?P<what>.+)",
    re.I | re.S,
)
ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.I)
FOUND = re.compile(r"^(?:\[(?P<number>\d+)\] )?(?P<title>.+)\n  (?P<url>https?://\S+)\n", re.M)
PAGE = re.compile(r"<(page-\w+)>\n(?P<title>.*?)\n\n(?P<text>.*?)\n</\1>", re.S)
NUMBER = re.compile(r"^Number: \[(\d+)\]$", re.M)
LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
QUERY_CHARS = 200
SHOWN_CHARS = 700
# What research searches for, one after the other, and how many pages it reads after each.
FURTHER = ("{words}", "{words} facts", "{words} reviews")
PAGES_A_SEARCH = 2


def research(at: Moment) -> Reply | None:
    """Search twice, read what was found, and write a report that cites it."""
    if not at.asking.wants_research or SEARCH not in at.asked.tools:
        return None
    done = at.asked.done
    found = [result for call, result in done if call.name == SEARCH]
    read = [str(call.arguments.get("address")) for call, _ in done if call.name == READ]
    unread = [
        one["url"] for text in found for one in FOUND.finditer(text) if one["url"] not in read
    ]
    words = " ".join(at.asking.words.split()).strip(" ?!.")[:QUERY_CHARS]
    if not found or (len(found) < len(FURTHER) and len(read) >= PAGES_A_SEARCH * len(found)):
        return _use(SEARCH, query=FURTHER[len(found)].format(words=words))
    if unread and len(read) < PAGES_A_SEARCH * len(found):
        return _use(READ, address=unread[0])
    if len(found) < len(FURTHER):
        return _use(SEARCH, query=FURTHER[len(found)].format(words=words))
    return _report(words, [result for call, result in done if call.name == READ])


def _report(words: str, results: Sequence[str]) -> Reply:
    pages = [(PAGE.search(result), NUMBER.search(result)) for result in results]
    said = [(page, number[1]) for page, number in pages if page and number]
    if not said:
        return Reply("I searched, and found no page that could be read.")
    parts = [f"### {page['title']}\n\n{_text_of(page)} [{number}]" for page, number in said]
    first, cited = said[0]
    head = f"# {words}\n\n**In short:** see above all *{first['title']}* [{cited}]."
    end = f"## What stays open\n\nI read {len(said)} pages; others may say otherwise."
    return Reply("\n\n".join((head, "## What the pages say", *parts, end)))


def look_up(at: Moment) -> Reply | None:
    """Search and read the best page, or read the page that is named; say what stands there."""
    tools = at.asked.tools
    named = ADDRESS.search(at.asking.words)
    wanted = LOOK_UP.search(at.asking.words)
    if READ not in tools or not (named or wanted):
        return None
    done = at.asked.done
    if named and not done:
        return _use(READ, address=named[0].rstrip(".,;:!?)"))
    if wanted and not done:
        return _use(SEARCH, query=" ".join(wanted["what"].split()).strip(" ?!.")[:QUERY_CHARS])
    return _go_on(done)


def _go_on(done: Sequence[tuple[ToolCall, str]]) -> Reply:
    call, result = done[-1]
    if call.name == READ:
        return _said_by(result)
    found = FOUND.search(result)
    return _use(READ, address=found["url"]) if found else Reply(_first_line(result))


def _said_by(result: str) -> Reply:
    page = PAGE.search(result)
    if page is None:
        return Reply(f"I could not read that page. {_first_line(result)}")
    number = NUMBER.search(result)
    cited = f" [{number[1]}]" if number else ""
    return Reply(f"**{page['title']}**{cited}\n\n{_text_of(page)}")


def _text_of(page: re.Match[str]) -> str:
    """Return how a page begins, up to the end of a line if there is one."""
    text = LINK.sub(r"\1", page["text"]).removeprefix(f"# {page['title']}").strip()
    if len(text) <= SHOWN_CHARS:
        return text
    return text[:SHOWN_CHARS].rpartition("\n")[0] or text[:SHOWN_CHARS]


def _first_line(result: str) -> str:
    return result.strip().partition("\n")[0]


def _use(name: str, **arguments: str) -> Reply:
    return Reply(calls=(ToolCall(f"call_{name}", name, arguments),))
