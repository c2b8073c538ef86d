"""The work of the lane for pages of the web."""

import json
from typing import Any

from protego import Protego

from untrusted.inside import pages, texts
from untrusted.inside.pages import NoPage

Result = tuple[dict[str, Any], bytes]
MOST_CHARS = 400_000
REHEARSAL = """
<html><head><title>Rehearsal</title></head><body><nav><a href="/a">A</a></nav><article><h1>Head</h1>
<p>Enough words for a paragraph that is found, with <a href="/b">a link</a> in it, and so on.</p>
<table><tr><th>a</th><td>b</td></tr></table><ul><li>one</li></ul></article></body></html>
"""


def _read_page(job: dict[str, Any], body: bytes) -> Result:
    try:
        page = pages.read(body, job["charset"], job["url"])
    except NoPage:
        return {"fault": "no_text"}, b""
    whole = {"title": page.title, "day": page.day, "text": page.text[:MOST_CHARS]}
    return {}, json.dumps(whole).encode()


def _check_robots(job: dict[str, Any], body: bytes) -> Result:
    rules = Protego.parse(texts.decode(body))
    return {"is_allowed": rules.can_fetch(job["url"], job["agent"])}, b""


WORK = {"read_page": _read_page, "check_robots": _check_robots}
# What parsers load when they meet it first is loaded while there are files to load it from.
pages.read(REHEARSAL.encode(), "utf-8", "http://rehearsal.example/")
Protego.parse("User-agent: *\nDisallow: /x").can_fetch("http://rehearsal.example/", "any")
