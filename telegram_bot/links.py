"""Which addresses Telegram takes behind words and buttons. It refuses a whole message for another.

Its server wants a host with a dot in it, and it takes `mailto:` for the name of a user at a host.
"""

import re
from urllib.parse import unquote, urlsplit

MOST_CHARS = 2_048
# Of the characters that a host may have; the parser has turned others into these.
HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+\.?")
# Of Telegram's own addresses, only the one that shows somebody: others change settings, or name
# users whom the bot does not know.
OWN = re.compile(r"tg://resolve\?domain=[A-Za-z0-9_]{1,64}(?:&[A-Za-z0-9_=&-]{1,128})?")
PRINTABLE = re.compile(r"[!-~\u00a1-\U0010ffff]+")


def is_accepted(address: str) -> bool:
    """Tell whether Telegram takes an address, and it leads nowhere but to a page or to somebody."""
    if OWN.fullmatch(address):
        return True
    if len(address) > MOST_CHARS or not PRINTABLE.fullmatch(address):
        return False
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return False
    is_web = parts.scheme in {"http", "https"} and "@" not in parts.netloc
    return is_web and bool(HOST.fullmatch(parts.hostname or "")) and port != 0


def spelled_out(address: str) -> str:
    """Return what is to be read where an address cannot be a link; nothing for what is unsafe."""
    scheme, _, rest = address.partition(":")
    if len(address) > MOST_CHARS or not PRINTABLE.fullmatch(address):
        return ""
    if scheme.lower() in {"http", "https"}:
        return address
    return unquote(rest.partition("?")[0]) if scheme.lower() == "mailto" else ""
