"""Trees of files that a cell with somebody's code in it could grow."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

FACE = "\N{GRINNING FACE}"
# Bytes of a name, the most that a file system takes.
LONGEST = 255
FOLDER = os.O_RDONLY | os.O_DIRECTORY


def deep(levels: int, name: str, *, files: int = 0) -> Callable[[Path], None]:
    """Folders in folders, each with so many files; deeper than any path could say."""

    def grow(root: Path) -> None:
        folder = os.open(root, FOLDER)
        for _ in range(levels):
            os.mkdir(name, dir_fd=folder)
            inner = os.open(name, FOLDER, dir_fd=folder)
            os.close(folder)
            folder = inner
            for number in range(files):
                os.close(os.open(f"f{number}", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        os.close(os.open("last.md", os.O_CREAT | os.O_WRONLY, dir_fd=folder))
        os.close(folder)

    return grow


def wide(folders: int, files: int) -> Callable[[Path], None]:
    """Many folders side by side, and files in each of them."""

    def grow(root: Path) -> None:
        for number in range(folders):
            folder = root / f"folder-{number}"
            folder.mkdir()
            for one in range(files):
                (folder / f"{one}.md").write_bytes(b"x")

    return grow


def link_to(target: str) -> Callable[[Path], None]:
    def grow(root: Path) -> None:
        (root / "link.md").symlink_to(target)
        (root / "folder").symlink_to(target)

    return grow


def hard_links(root: Path) -> None:
    """Further names of the cell's own configuration, where its assistant keeps its notes."""
    for name in ("notes.md", "USER.md", "MEMORY.md"):
        (root / name).hardlink_to(root.parent / "openclaw.json")


def many_names(root: Path) -> None:
    (root / "one.md").write_bytes(b"x" * 1000)
    for number in range(2000):
        (root / f"again-{number}.md").hardlink_to(root / "one.md")


def a_link_instead(root: Path) -> None:
    """The workspace is the cell's whole folder."""
    root.rmdir()
    root.symlink_to(root.parent)


def pipe(root: Path) -> None:
    os.mkfifo(root / "pipe.md")


def listening(root: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        handle = os.open(root, FOLDER)
        one.bind(f"/proc/self/fd/{handle}/socket.md")
        os.close(handle)


def sparse(root: Path) -> None:
    with (root / "large.bin").open("wb") as file:
        file.truncate(2**40)


def no_rights(root: Path) -> None:
    closed = root / "closed"
    (closed / "inner").mkdir(parents=True)
    (closed / "inner" / "note.md").write_bytes(b"x")
    (root / "closed.md").write_bytes(b"x")
    for path in (root / "closed.md", closed / "inner", closed):
        path.chmod(0)


def odd_names(root: Path) -> None:
    for name in ("a\nb", '"quoted"', "-rf", "...", " ", "%2e%2e", "{}", "\u202etxt", "a\tb"):
        (root / name).write_bytes(b"x")


def no_text(root: Path) -> None:
    folder = os.open(root, FOLDER)
    for name in (b"\xff\xfe", b"\xed\xa0\x80", b"\x80" * LONGEST):
        os.close(os.open(name, os.O_CREAT | os.O_WRONLY, dir_fd=folder))
    os.close(folder)


def odd_times(root: Path) -> None:
    for number, time in enumerate((-(2**31), -1, 0, 2**33)):
        (root / f"{number}.md").write_bytes(b"x")
        os.utime(root / f"{number}.md", (time, time))


def odd_rights(root: Path) -> None:
    (root / "run.md").write_bytes(b"x")
    (root / "run.md").chmod(0o6777)
    (root / "sticky").mkdir(mode=0o1777)
    (root / "sticky" / "in.md").write_bytes(b"x")


TREES: dict[str, Callable[[Path], None]] = {
    "ten thousand levels": deep(10_000, "d"),
    "levels with the longest names": deep(2_000, "n" * LONGEST),
    "levels with names of wide letters": deep(1_500, FACE * (LONGEST // 4)),
    "levels with files in each": deep(500, "d", files=10),
    "just too deep": deep(70, "d"),
    "many files": wide(1, 20_100),
    "many folders": wide(3_000, 1),
    "folders and files": wide(60, 50),
    "a link to everything": link_to("/"),
    "a link to itself": link_to("link.md"),
    "a link to the configuration": link_to("../openclaw.json"),
    "a link to a device": link_to("/dev/zero"),
    "further names of the configuration": hard_links,
    "further names of a file": many_names,
    "a link for a workspace": a_link_instead,
    "a pipe": pipe,
    "a socket": listening,
    "a terabyte of nothing": sparse,
    "folders without rights": no_rights,
    "odd names": odd_names,
    "names that are no text": no_text,
    "odd times": odd_times,
    "odd rights": odd_rights,
}
