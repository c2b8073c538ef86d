"""What a page of the made-up web is."""

import re
from dataclasses import dataclass
from html import escape, unescape

TAG = re.compile(r"<[^>]*>")
HIDDEN = re.compile(r"<(\w+)[^>]*(?:display:\s*none|\bhidden\b)[^>]*>.*?</\1>|<!--.*?-->", re.S)
SITE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title} · {host}</title>
<meta property="og:title" content="{title}">
<meta property="article:published_time" content="{day}T08:00:00Z">
<style>body {{ font-family: sans-serif; max-width: 40rem; margin: 2rem auto }}</style></head>
<body><nav><a href="/">Home</a> <a href="/about">About</a> <a href="/contact">Contact</a></nav>
<div class="cookie-banner">This made-up site sets no cookies. Accept? Reject?</div>
<main><article><h1>{title}</h1>
{body}
</article></main>
<footer>{host}, a site of the made-up web. Nothing on it is true.</footer></body></html>
"""


@dataclass(frozen=True)
class WebPage:
    """A page at an address; `body` is HTML."""

    host: str
    path: str
    title: str
    day: str
    body: str

    @property
    def url(self) -> str:
        return f"http://{self.host}{self.path}"

    @property
    def html(self) -> str:
        return SITE.format(
            title=escape(self.title), host=self.host, day=self.day, body=self.body.strip()
        )

    @property
    def words(self) -> str:
        """What can be seen on it, in one line."""
        return " ".join(unescape(TAG.sub(" ", HIDDEN.sub(" ", self.body))).split())
