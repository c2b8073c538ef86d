"""The engine is exactly the pinned one, whole or not there at all."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from embedded import bundling, engine
from embedded.environ import environ
from embedded.errors import CannotStart
from embedded.ports import free_port
from embedded.programs import node_path


@pytest.fixture
def lock() -> dict[str, Any]:
    return json.loads((engine.PIN_DIR / "package-lock.json").read_text())


def test_the_lock_pins_every_package_by_hash_and_names_no_registry(lock: dict[str, Any]) -> None:
    packages = {path: entry for path, entry in lock["packages"].items() if path}
    assert len(packages) > 300
    # A bundled package is part of another one's archive, whose hash covers it.
    fetched = [entry for entry in packages.values() if not entry.get("inBundle")]
    assert all(entry["integrity"].startswith("sha512-") for entry in fetched)
    assert not [path for path, entry in packages.items() if "resolved" in entry]


def test_the_engine_is_named_after_its_version_and_lock(lock: dict[str, Any]) -> None:
    wanted = json.loads((engine.PIN_DIR / "package.json").read_text())["dependencies"]["openclaw"]
    assert lock["packages"]["node_modules/openclaw"]["version"] == wanted
    assert engine.wanted_name().startswith(f"openclaw-{wanted}-")


def test_an_engine_of_another_lock_does_not_count(tmp_path: Path) -> None:
    assert not engine.is_installed(tmp_path)
    (tmp_path / "openclaw-2020.1.1-00000000").mkdir()
    (tmp_path / "current").symlink_to("openclaw-2020.1.1-00000000")
    assert not engine.is_installed(tmp_path)
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(engine.wanted_name())
    assert not engine.is_installed(tmp_path)
    (tmp_path / engine.wanted_name()).mkdir()
    assert engine.is_installed(tmp_path)


def test_an_engine_that_is_there_is_only_pointed_at(tmp_path: Path) -> None:
    (tmp_path / engine.wanted_name()).mkdir()
    (tmp_path / "openclaw-2020.1.1-00000000").mkdir()
    (tmp_path / "current").symlink_to("openclaw-2020.1.1-00000000")
    said: list[str] = []
    assert engine.install(tmp_path, said.append).resolve().name == engine.wanted_name()
    assert said == []
    assert not (tmp_path / "openclaw-2020.1.1-00000000").exists()


def test_without_a_registry_nothing_is_left_and_a_sentence_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("npm_config_registry", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("npm_config_cache", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_fetch_retries", "0")
    with pytest.raises(CannotStart, match="npm registry cannot be reached"):
        engine.install(tmp_path / "engine", lambda words: None)
    assert [path.name for path in (tmp_path / "engine").iterdir()] == ["lock"]


def test_a_full_disk_is_told_before_anything_is_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "NEEDED_BYTES", 1 << 60)
    with pytest.raises(CannotStart, match="too full for the assistant engine"):
        engine.install(tmp_path, lambda words: None)


def test_what_openclaw_never_reads_is_slimmed_away(tmp_path: Path) -> None:
    package = tmp_path / "node_modules" / "some"
    package.mkdir(parents=True)
    for name in ("index.js", "index.js.map", "index.d.ts", "index.d.mts", "readme.md"):
        (package / name).touch()
    engine._slim(tmp_path)  # pyright: ignore[reportPrivateUsage]
    assert sorted(path.name for path in package.iterdir()) == ["index.js", "readme.md"]


def test_another_recipe_for_the_bundle_is_another_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "bundle"
    shutil.copytree(bundling.BUNDLE_DIR, recipe)
    monkeypatch.setattr(bundling, "BUNDLE_DIR", recipe)
    before = engine.wanted_name()
    with (recipe / "loaded.txt").open("a") as loaded:
        loaded.write("one-more.mjs\n")
    assert engine.wanted_name() != before


def test_the_bundler_is_pinned_by_hash_and_names_no_registry() -> None:
    lock = json.loads((bundling.BUNDLE_DIR / "package-lock.json").read_text())
    packages = [entry for path, entry in lock["packages"].items() if path]
    assert all(entry["integrity"].startswith("sha512-") for entry in packages)
    assert not [entry for entry in packages if "resolved" in entry]


def test_a_bundle_that_cannot_be_made_leaves_the_engine_as_it_came(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tmp_path / "bundle"
    shutil.copytree(bundling.BUNDLE_DIR, recipe)
    (recipe / "package-lock.json").write_text("no lock at all")
    monkeypatch.setattr(bundling, "BUNDLE_DIR", recipe)
    folder = tmp_path / "engine"
    folder.mkdir()
    assert bundling.bundle(folder, environ())
    assert list(folder.iterdir()) == []


def test_the_installed_engine_is_bundled_with_each_of_its_threads() -> None:
    """What cannot be bundled works too, only slowly: nothing else would tell."""
    current = engine.PROJECT_DIR / ".engine" / "current"
    if not engine.is_installed(engine.PROJECT_DIR / ".engine"):
        pytest.skip("the engine is not installed here: `make test` installs it")
    dist = current / "node_modules/openclaw/dist"
    lines = (bundling.BUNDLE_DIR / "loaded.txt").read_text().splitlines()
    threads = [line.removesuffix(":") for line in lines if line.endswith(":")]

    assert threads[0] == "entry.js"
    assert len(threads) > 1
    assert (dist / "cell.mjs").is_file()
    for thread in threads[1:]:
        assert "/cell-" in (dist / thread).read_text(), f"{thread} loads its modules one by one"
    main = (dist / "cell-entry.mjs").read_text()
    assert "IDLE_EXECUTION_MS=864e5" in main, "the changes to OpenClaw are not in it"


def test_an_openclaw_without_what_we_change_is_not_bundled() -> None:
    script = (
        f"import {{changing}} from {json.dumps((bundling.BUNDLE_DIR / 'changes.mjs').as_uri())};"
        "const {change, check} = changing(); change('something else'); check();"
    )
    command = [str(node_path()), "--input-type=module", "--eval", script]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "should be in OpenClaw once and is 0 times" in ended.stderr
