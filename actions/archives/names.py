"""Names in an archive that any program unpacks, and that an import takes."""

import unicodedata
from pathlib import PurePosixPath

from gateways import values

# An import takes no more: see `untrusted.inside.archives`.
PART_BYTES = 200
MOST_LEVELS = 20
MOST_SUFFIX_BYTES = 16
ODD = (values.UNKEEPABLE, values.CONTROLS, values.BIDI_CONTROLS)


class Names:
    """The names that are taken in one archive."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def take(self, wanted: str) -> str:
        """Return a name for an entry: the one that is wanted, or one like it that is free.

        Two names that differ in their case alone are one file on many computers.
        """
        path = PurePosixPath(*_levels([_safe(part) for part in wanted.split("/") if part]))
        name, number = str(path), 1
        while _key(name) in self._taken:
            number += 1
            suffix = path.suffix if len(path.suffix.encode()) <= MOST_SUFFIX_BYTES else ""
            ending = f" ({number}){suffix}"
            stem = values.file_name(
                path.stem, fallback="file", most_bytes=PART_BYTES - len(ending.encode())
            )
            name = str(path.with_name(f"{stem}{ending}"))
        self._taken.add(_key(name))
        return name


def _levels(parts: list[str]) -> list[str]:
    return parts if len(parts) <= MOST_LEVELS else [*parts[: MOST_LEVELS - 1], parts[-1]]


def _safe(part: str) -> str:
    is_odd = any(signs.search(part) for signs in ODD) or "\\" in part or part in (".", "..")
    if not is_odd and len(part.encode()) <= PART_BYTES:
        return part
    return values.file_name(part.replace("\\", "_"), fallback="file", most_bytes=PART_BYTES)


def _key(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
