"""Names of files, cut to what a file system takes: it counts bytes, not letters."""

from pathlib import PurePath

ENDING_BYTES = 32


def cut(name: str, most_bytes: int) -> str:
    """Return `name` in at most so many bytes of UTF-8: its beginning, and its ending in any case.

    No letter is cut in two. `most_bytes` is more than ENDING_BYTES.
    """
    if len(name.encode(errors="replace")) <= most_bytes:
        return name
    ending = _first(PurePath(name).suffix, ENDING_BYTES)
    return _first(name, most_bytes - len(ending.encode(errors="replace"))) + ending


def _first(text: str, most_bytes: int) -> str:
    return text.encode(errors="replace")[:most_bytes].decode(errors="ignore")
