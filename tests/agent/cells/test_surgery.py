"""What is taken out of texts that a forgotten conversation was told in, however long they are."""

import json
import subprocess
from pathlib import Path

import pytest

from agent.cells.host.sandbox import RELAY_SURGERY
from agent.engine import find_node
from settings import Settings

GONE, STAYS = " (#0a1b2c3d)", " (#99999999)"
LETTERS = 2_000_000
LATELY = "\n\n## Lately, in other conversations\nwords\n<!-- kept by the service: end -->\n"
# Nothing is to be taken out of any of them; a slow one takes minutes.
HOSTILE = [
    "<earlier a>\n" * (LETTERS // 12),
    "<earlier " + "a" * LETTERS,
    "".join(f"<earlier {number:08x}>\n" for number in range(LETTERS // 19)),
    "<earlier a>\n" + "\n</earlier b>" * (LETTERS // 13),
]


def _edited(settings: Settings, tmp_path: Path, function: str, text: str, *rest: object) -> str:
    node = find_node(settings)
    assert node
    (tmp_path / "given.json").write_text(json.dumps([text, *rest]))
    script = (
        f"import {{{function} as edit}} from {json.dumps(RELAY_SURGERY.as_uri())};"
        "import {readFileSync} from 'node:fs';"
        "process.stdout.write(edit(...JSON.parse(readFileSync('given.json'))));"
    )
    command = [str(node), "--input-type=module", "--eval", script]
    ended = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, timeout=10
    )
    return ended.stdout


def test_only_exchanges_of_what_is_forgotten_are_taken_out(
    settings: Settings, tmp_path: Path
) -> None:
    one, other = f"### Cats{STAYS}\nByron", f"### Looms{GONE}\nJacquard\nand cards"
    lone = "<earlier ffff0000>\n### Not ended" + GONE
    text = "\n".join(
        (
            "Hello",
            *("<earlier ab12cd34>", other, one, "</earlier ab12cd34>", "then"),
            *("<earlier ef>", one, "</earlier 12>", other, "</earlier ef>", lone),
        )
    )

    kept = "\n".join(
        (
            "Hello",
            *("<earlier ab12cd34>", one, "</earlier ab12cd34>", "then"),
            *("<earlier ef>", one, "</earlier 12>", "</earlier ef>", lone),
        )
    )
    assert _edited(settings, tmp_path, "without", text, [GONE]) == kept


@pytest.mark.parametrize("text", HOSTILE, ids=["openings", "a name", "names", "endings"])
def test_a_hostile_text_is_read_once(settings: Settings, tmp_path: Path, text: str) -> None:
    assert _edited(settings, tmp_path, "without", text, [GONE]) == text


def test_what_the_profile_once_told_is_taken_out(settings: Settings, tmp_path: Path) -> None:
    before, after = "# Ada", "\n<!-- kept by the service: end -->\n"
    assert _edited(settings, tmp_path, "withoutLately", before + LATELY) == before + after
    hostile = "\n" * LETTERS
    assert _edited(settings, tmp_path, "withoutLately", hostile) == hostile


def test_found_lines_of_what_is_forgotten_and_notes_that_are_gone_are_taken_out(
    settings: Settings, tmp_path: Path
) -> None:
    found = "\n".join(("<said-1>", f"- Mon, they: cats{STAYS}", "- note #2, Mon: tea", "</said-1>"))
    told = found.replace("</said", f"- Mon, they: looms{GONE}\n- note #1, Mon: nuts\n</said")
    listed = "# Memory\n- #2 (2026-12-01) tea"
    lines = _edited(settings, tmp_path, "withoutLines", told, [GONE], [2])
    assert lines == found
    memory = f"{listed}\n- #1 (2026-12-01) nuts"
    assert _edited(settings, tmp_path, "withoutLines", memory, [GONE], [2]) == listed
    # Without numbers all notes stay; and so do lines that nobody was told of by us.
    assert _edited(settings, tmp_path, "withoutLines", memory, [GONE], None) == memory
    assert (
        _edited(settings, tmp_path, "withoutLines", f"- mine{GONE}", [GONE], []) == f"- mine{GONE}"
    )
