"""What a user takes along runs in the stock OpenClaw, which knows them."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from agent import catalogue, engine, export
from agent.catalogue import Model
from agent.files import CellFile
from agent.runtime import Runtime
from agent.state import BLANK, DATABASE, Restored
from agent.turn import FileToPlace, Profile
from settings import Settings
from tests.agent.conftest import ADA
from tests.agent.people import Person, TurnListener
from tests.agent.scripted_model import ScriptedModel, UseTool

FACT = "- Allergic to walnuts since 1999"
MODELS = {
    "anthropic": ("anthropic/m", "https://api.anthropic.com"),
    "gemini": ("google/m", "https://generativelanguage.googleapis.com/v1beta"),
    "compatible": ("custom/m", "https://api.example.com/v1"),
    "demo": ("custom/m", "https://api.example.com/v1"),
}


def _model(provider: str) -> Model:
    return Model(provider, "m", "M", 100_000, 8_000, accepts_images=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("provider", MODELS)
def test_nothing_of_ours_is_in_its_configuration(provider: str) -> None:
    primary, base_url = MODELS[provider]
    config = export.config(_model(provider))
    assert config["agents"]["defaults"]["model"] == {"primary": primary}
    (given,) = config["models"]["providers"].values()
    assert (given["baseUrl"], given["apiKey"]) == (base_url, export.KEY_PLACEHOLDER)


def test_only_what_is_the_users_is_taken_along_and_other_instructions() -> None:
    files = (
        CellFile("workspace/AGENTS.md", b"You cannot browse the web"),
        CellFile("workspace/MEMORY.md", b"# Memory"),
        CellFile(DATABASE, b"SQLite"),
    )
    found = dict(export.files(Restored(files, {}, BLANK.state), _model("demo")))
    assert sorted(found) == sorted(
        [DATABASE, "openclaw.json", "workspace/AGENTS.md", "workspace/MEMORY.md"]
    )
    assert found["workspace/AGENTS.md"] == export.AGENTS.encode()
    assert "cannot" not in export.AGENTS


@pytest.mark.long
@pytest.mark.engine
@pytest.mark.timeout(420)
@pytest.mark.xdist_group("cells")
def test_the_stock_openclaw_knows_who_it_works_for(
    runtime: Runtime,
    model: ScriptedModel,
    agent_settings: Settings,
    passable_folder: Path,
) -> None:
    person = Person(runtime, ADA)
    note = {"path": "MEMORY.md", "content": f"# Memory\n{FACT}\n"}
    model.will(UseTool("write", note), "Noted.")
    person.say("I am allergic to walnuts.")
    runtime.discard(person.id)

    whole = runtime.restore(person.states)
    home = _unpacked(whole, agent_settings, passable_folder, model.base_url)
    model.will("You are Ada, and no walnuts.")
    answer = _ask_stock(agent_settings, home, "Who am I?")

    assert "You are Ada, and no walnuts." in answer
    for known in (ADA.name, FACT, "Who am I?"):
        assert known in model.last_request

    # And back: a new account that brings it knows the same from its first turn on.
    grace = Person(runtime, Profile("Grace", "UTC", ""))
    brought = tuple(
        FileToPlace(file.path.removeprefix("workspace/"), file.data)
        for file in whole.files
        if file.path.startswith("workspace/") and not file.path.endswith("AGENTS.md")
    )
    model.will("You are Grace now.")
    turn = grace.turn("Who am I?", imported=brought)
    runtime.run(turn, TurnListener(), grace.purse, grace.stop)
    grace.save()
    assert FACT in model.last_request
    assert "Name: Grace" in model.last_request


def _unpacked(whole: Restored, settings: Settings, folder: Path, base_url: str) -> Path:
    """Do what the README says: unpack it, and put an own provider into openclaw.json."""
    home = folder / ".openclaw"
    for name, data in export.files(whole, catalogue.default(settings)):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    config = home / export.CONFIG
    text = config.read_text().replace(export.KEY_PLACEHOLDER, "an-own-key")
    config.write_text(text.replace(export.OTHER[1], base_url))
    assert json.loads(config.read_text())["gateway"] == {"mode": "local"}
    return home


def _ask_stock(settings: Settings, home: Path, words: str) -> str:
    found = engine.find(settings)
    assert found is not None
    program = str(found.folder / engine.PLAIN)
    command = [str(found.node), program, *("agent", "--local", "--agent", "main")]
    ended = subprocess.run(
        [*command, "--message", words],
        env={"HOME": str(home.parent), "PATH": os.defpath, "LANG": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout
