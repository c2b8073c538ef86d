"""Reading single files of a live cell's workspace, by what a model calls them."""

import posixpath
from dataclasses import dataclass

from agent.files import CellFiles
from agent.state import WORKSPACE, may_be_kept
from agent.tools.registry import WorkspaceFile
from gateways.values import is_keepable

LONGEST_NAME = 1_000


@dataclass(frozen=True)
class WorkspaceReader:
    """Reads from the cell whose files these are; `home` is what it is called inside of it."""

    files: CellFiles
    home: str
    # One more is read of what is larger, so that whoever gets it can tell.
    most_bytes: int

    async def read(self, given: object) -> WorkspaceFile | None:
        """Return a file of the workspace; None for what is none, or lies elsewhere.

        The cell's relay opens it, with the cell's own rights. Raises FilesFailed.
        """
        path = within(given, self.home)
        if path is None:
            return None
        data = await self.files.get(f"{WORKSPACE}/{path}", self.most_bytes + 1)
        return None if data is None else WorkspaceFile(path, data)


def within(given: object, home: str) -> str | None:
    """Return the path in the workspace that a model means; None for one that leads out of it.

    Models write it as they were told it, which may be from the root of the file system.
    """
    if not isinstance(given, str) or not 0 < len(given) <= LONGEST_NAME:
        return None
    path = given.removeprefix(f"{posixpath.normpath(home)}/{WORKSPACE}/")
    if path.startswith("/"):
        return None
    path = posixpath.normpath(path)
    is_kept = path != "." and is_keepable(path) and may_be_kept(f"{WORKSPACE}/{path}")
    return path if is_kept else None
