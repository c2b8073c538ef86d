"""Finding the engine, also when it comes late."""

from pathlib import Path

import pytest

from agent import engine
from settings import Settings


def test_an_engine_is_found_as_soon_as_it_is_there(settings: Settings, tmp_path: Path) -> None:
    given = settings.model_copy(update={"engine_dir": tmp_path})
    assert engine.find(given) is None

    installed = tmp_path / "openclaw-1" / "node_modules" / "openclaw"
    installed.mkdir(parents=True)
    (installed / "openclaw.mjs").touch()
    assert engine.find(given) is None
    (tmp_path / "current").symlink_to("openclaw-1")

    found = engine.find(given)
    assert found is not None
    # Not through the link, which the next version will move.
    assert found.folder == tmp_path / "openclaw-1"
    assert found.node.is_file()


def test_a_bundle_is_started_where_there_is_one(settings: Settings, tmp_path: Path) -> None:
    found = engine.Engine(Path("node"), tmp_path)
    assert found.program == "node_modules/openclaw/openclaw.mjs"

    bundled = tmp_path / "node_modules/openclaw/dist/cell.mjs"
    bundled.parent.mkdir(parents=True)
    bundled.touch()
    assert found.program == "node_modules/openclaw/dist/cell.mjs"


def test_a_node_that_the_settings_name_must_be_there(settings: Settings, tmp_path: Path) -> None:
    given = settings.model_copy(update={"node_path": tmp_path / "node"})

    assert engine.find_node(given) is None


@pytest.mark.engine
def test_the_installed_engine_is_bundled(settings: Settings) -> None:
    found = engine.find(settings)

    assert found is not None
    assert found.program == engine.BUNDLED
