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
    text = LINK.sub(r"\1", page["text"]).removeprefix(f"# {page['title']}").strip()
    if len(text) > SHOWN_CHARS:
        # It ends with a whole line, if there is one.
        text = text[:SHOWN_CHARS].rpartition("\n")[0] or text[:SHOWN_CHARS]
    return Reply(f"**{page['title']}**{cited}\n\n{text}")


def _first_line(result: str) -> str:
    return result.strip().partition("\n")[0]


def _use(name: str, **arguments: str) -> Reply:
    return Reply(calls=(ToolCall(f"call_{name}", name, arguments),))
