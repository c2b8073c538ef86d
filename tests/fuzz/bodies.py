"""Forms and queries on the wire, also of what no browser would send."""

from collections.abc import Iterable
from urllib.parse import quote_plus

URLENCODED = "application/x-www-form-urlencoded"
BOUNDARY = "----boundary-of-tests"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"

Fields = Iterable[tuple[str, str]]


def urlencoded(fields: Fields) -> str:
    """Write fields as a query, or as a form without files; halves of pairs as UTF-8 would be."""
    return "&".join(f"{_quoted(name)}={_quoted(text)}" for name, text in fields)


def multipart(fields: Fields, files: Iterable[tuple[str, str, bytes]]) -> bytes:
    """Write a form with files: the field of each, its name as it is, and what is in it."""
    parts = [_part(f'name="{_plain(name)}"', _raw(text)) for name, text in fields]
    for name, file_name, data in files:
        parts.append(_part(f'name="{_plain(name)}"; filename="{_plain(file_name)}"', data))
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _part(said: str, data: bytes) -> bytes:
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {said}\r\n\r\n"
    return _raw(head) + data + b"\r\n"


def _plain(name: str) -> str:
    # As browsers do it; other controls go as they are.
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _quoted(text: str) -> str:
    return quote_plus(_raw(text))


def _raw(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
