"""Which files of a cell a model can name: those of the workspace, and no others."""

import asyncio

import pytest

from agent.files import CellFiles
from agent.workspace_files import WorkspaceReader, within

HOME = "/cell"


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ("plan.md", "plan.md"),
        ("./files//plan.md", "files/plan.md"),
        ("/cell/workspace/files/plan.md", "files/plan.md"),
        ("a/Größe 1.csv", "a/Größe 1.csv"),
    ],
)
def test_a_path_is_taken_as_models_write_it(given: str, path: str) -> None:
    assert within(given, HOME) == path


@pytest.mark.parametrize(
    "given",
    [
        *(None, 5, ["plan.md"], "", ".", "/", "..", "../openclaw.json", "a/../../openclaw.json"),
        *("a/..", "/etc/passwd", "/cell/openclaw.json", "/cell/workspace/../openclaw.json"),
        *("/cell/workspacex/a", "a\0b", "\ud800", "n" * 5_000, "d/" * 400 + "d", "n" * 300),
    ],
)
def test_whatever_leads_out_is_no_path(given: object) -> None:
    assert within(given, HOME) is None


def test_one_byte_more_is_read_than_may_be_handed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    async def _get(_: CellFiles, path: str, most_bytes: int) -> bytes | None:
        return f"{path} {most_bytes}".encode() if "plan" in path else None

    monkeypatch.setattr(CellFiles, "get", _get)
    reader = WorkspaceReader(CellFiles("nowhere"), HOME, 10)
    found = asyncio.run(reader.read("plan.md"))
    assert found is not None
    assert (found.path, found.data) == ("plan.md", b"workspace/plan.md 11")
    assert asyncio.run(reader.read("none.md")) is None
    assert asyncio.run(reader.read("../plan.md")) is None
