"""The buttons under a message."""

from typing import Any, cast
from urllib.parse import urlsplit

from embedded.fake_telegram.errors import Body, bad_request
from embedded.fake_telegram.given import Given

MOST_DATA_BYTES = 64
MOST_BUTTONS = 100
SCHEMES = frozenset({"http", "https", "tg"})
ARRAYS = 'field "inline_keyboard" must be an Array of Arrays'


def keyboard(given: Given) -> Body | None:
    """Return the buttons that a call asks for, None for none; refuse what Telegram refuses."""
    raw = given.parsed("reply_markup", "reply keyboard markup")
    if not raw:
        return None
    if not isinstance(raw, dict):
        raise bad_request("object expected as reply markup")
    asked = cast(Body, raw)
    if "inline_keyboard" not in asked:
        raise bad_request("the stand-in only draws inline keyboards")
    rows = [[_button(one) for one in _array(row)] for row in _array(asked["inline_keyboard"])]
    kept = [row for row in rows if row]
    if sum(map(len, kept)) > MOST_BUTTONS:
        raise bad_request("reply markup is too long")
    return {"inline_keyboard": kept} if kept else None


def _array(raw: Any) -> list[Any]:
    if not isinstance(raw, list):
        raise bad_request(ARRAYS)
    return cast(list[Any], raw)


def _button(raw: Any) -> Body:
    if not isinstance(raw, dict):
        raise _malformed("InlineKeyboardButton must be an Object")
    asked = cast(Body, raw)
    words = asked.get("text")
    if not isinstance(words, str):
        raise _malformed('Can\'t find field "text"')
    if not words.strip():
        raise bad_request("inline keyboard button text must be non-empty")
    url, data = asked.get("url"), asked.get("callback_data")
    if url:
        return {"text": words, "url": _url(str(url))}
    if not data:
        raise _malformed("Text buttons are unallowed in the inline keyboard")
    if not isinstance(data, str) or len(data.encode()) > MOST_DATA_BYTES:
        raise bad_request("BUTTON_DATA_INVALID")
    return {"text": words, "callback_data": data}


def _url(address: str) -> str:
    try:
        parts = urlsplit(address if "://" in address else f"http://{address}")
        is_odd = not parts.hostname
    except ValueError:
        is_odd = True
        parts = urlsplit("")
    if is_odd:
        raise bad_request(f"inline keyboard button URL '{address}' is invalid: Wrong HTTP URL")
    if parts.scheme not in SCHEMES:
        told = "is invalid: Unsupported URL protocol"
        raise bad_request(f"inline keyboard button URL '{address}' {told}")
    return parts.geturl()


def _malformed(words: str) -> Exception:
    return bad_request(f"can't parse inline keyboard button: {words}")
