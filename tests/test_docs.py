"""What the docs lead to is there: every link, path and command in them."""

import re
from pathlib import Path

import pytest

from settings import PROJECT_DIR

DOCS = [
    *(PROJECT_DIR / name for name in ("README.md", "CONTRIBUTING.md")),
    *sorted((PROJECT_DIR / "docs").glob("*.md")),
]
LINK = re.compile(r"\]\(([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
COMMAND = re.compile(r"(?:`|^)make ([a-z-]+)", re.MULTILINE)
TARGET = re.compile(r"^([a-z-]+):", re.MULTILINE)
# A path of this repository: it begins with one of its folders, or is a file with an ending.
FOLDERS = sorted(
    path.name for path in PROJECT_DIR.iterdir() if path.is_dir() and path.name[0] != "."
)
PATH = re.compile(rf"(?:(?:{'|'.join(FOLDERS)})/[\w./-]*|[\w.-]+\.(?:py|md|toml))")
GLOSSARY_LINES = 40

each = pytest.mark.parametrize("doc", DOCS, ids=lambda doc: doc.name)


def links(doc: Path) -> list[str]:
    found: list[str] = LINK.findall(doc.read_text())
    return [link for link in found if "://" not in link and not link.startswith("#")]


@each
def test_each_link_leads_to_a_file(doc: Path) -> None:
    lost = [link for link in links(doc) if not (doc.parent / link.partition("#")[0]).exists()]
    assert lost == []


@each
def test_each_path_in_backticks_is_there(doc: Path) -> None:
    named: list[str] = [code for code in CODE.findall(doc.read_text()) if PATH.fullmatch(code)]
    assert [path for path in named if not (PROJECT_DIR / path).exists()] == []


@each
def test_each_command_is_in_the_makefile(doc: Path) -> None:
    targets = set(TARGET.findall((PROJECT_DIR / "Makefile").read_text()))
    assert set(COMMAND.findall(doc.read_text())) - targets == set()


def test_something_is_looked_at() -> None:
    """Or a change of how the docs are written would let all of this pass."""
    texts = "".join(doc.read_text() for doc in DOCS)

    assert len(LINK.findall(texts)) > 100
    assert sum(PATH.fullmatch(code) is not None for code in CODE.findall(texts)) > 30
    assert len(COMMAND.findall(texts)) > 10


def test_each_page_of_the_docs_is_linked_from_the_readme() -> None:
    linked = links(PROJECT_DIR / "README.md")
    assert [doc.name for doc in DOCS[2:] if f"docs/{doc.name}" not in linked] == []


def test_the_glossary_is_short() -> None:
    lines = (PROJECT_DIR / "docs" / "glossary.md").read_text().splitlines()
    assert len(lines) <= GLOSSARY_LINES
