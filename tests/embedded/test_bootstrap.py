"""A bare machine is prepared, or told in one sentence what it lacks."""

import base64
import hashlib
import importlib.util
import subprocess
import sys
import zipfile
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from embedded import bootstrap
from embedded.bootstrap import CannotPrepare
from embedded.ports import free_port

ONE_PACKAGE = "iniconfig==2.3.0 --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder of its own, whose requirements are empty."""
    project = tmp_path / "project"
    (project / "requirements").mkdir(parents=True)
    (project / "requirements" / "embedded.txt").touch()
    (project / "requirements" / "dev.txt").touch()
    monkeypatch.setattr(bootstrap, "PROJECT_DIR", project)
    monkeypatch.setattr(bootstrap, "REQUIREMENTS_DIR", project / "requirements")
    monkeypatch.setattr(bootstrap, "VENV_DIR", project / ".venv")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", project / ".venv" / "bin" / "python")
    return project


def _lacks(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    find = importlib.util.find_spec

    def find_all_but_the_missing(name: str) -> ModuleSpec | None:
        return None if name in missing else find(name)

    monkeypatch.setattr(bootstrap.importlib.util, "find_spec", find_all_but_the_missing)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments are made without a pip of their own, which takes a tenth of the time."""
    _lacks(monkeypatch, "ensurepip")


@pytest.mark.usefixtures("quick")
def test_a_prepared_folder_is_left_alone(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.prepare("embedded")
    assert "making .venv" in capsys.readouterr().out
    # Whatever would be done now would need the disk.
    monkeypatch.setattr(bootstrap, "NEEDED_BYTES", 1 << 60)
    bootstrap.prepare("embedded")
    assert capsys.readouterr().out == ""

    (project / "requirements" / "embedded.txt").write_text("# changed\n")
    with pytest.raises(CannotPrepare, match="disk is too full"):
        bootstrap.prepare("embedded")


@pytest.mark.usefixtures("quick")
def test_what_the_tests_need_is_enough_to_run_and_not_the_other_way_round(project: Path) -> None:
    bootstrap.prepare("dev")
    bootstrap.prepare("embedded")
    stamps = [path.name for path in (project / ".venv").glob("*.installed")]
    assert stamps == [".dev.installed"]


def test_without_ensurepip_the_pip_of_the_system_is_used(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lacks(monkeypatch, "ensurepip")
    bootstrap.prepare("embedded")
    assert not list((project / ".venv").glob("lib/*/site-packages/pip"))
    assert bootstrap._pip()[:3] == [sys.executable, "-m", "pip"]  # pyright: ignore[reportPrivateUsage]


def test_without_any_pip_a_sentence_says_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lacks(monkeypatch, "ensurepip", "pip")
    with pytest.raises(CannotPrepare, match="apt-get install python3-venv"):
        bootstrap.prepare("embedded")
    assert not (project / ".venv").exists()


def test_an_old_python_is_told_what_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bootstrap, "OLDEST", (3, 99))
    with pytest.raises(CannotPrepare, match="needs Python"):
        bootstrap.prepare("embedded")


@pytest.mark.usefixtures("quick")
def test_an_environment_whose_folder_was_moved_is_made_anew(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bootstrap.prepare("embedded")
    moved = project.rename(project.with_name("moved"))
    monkeypatch.setattr(bootstrap, "PROJECT_DIR", moved)
    monkeypatch.setattr(bootstrap, "REQUIREMENTS_DIR", moved / "requirements")
    monkeypatch.setattr(bootstrap, "VENV_DIR", moved / ".venv")
    monkeypatch.setattr(bootstrap, "VENV_PYTHON", moved / ".venv" / "bin" / "python")
    capsys.readouterr()
    bootstrap.prepare("embedded")
    assert "making .venv" in capsys.readouterr().out
    assert str(moved) in (moved / ".venv" / "bin" / "activate").read_text()


def test_without_a_registry_a_sentence_says_so_and_the_next_try_starts_again(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{free_port()}/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "")
    monkeypatch.setenv("PIP_RETRIES", "1")
    (project / "requirements" / "embedded.txt").write_text(ONE_PACKAGE)
    with pytest.raises(CannotPrepare, match="registry cannot be reached"):
        bootstrap.prepare("embedded")
    assert not list((project / ".venv").glob("*.installed"))


def _wheel(folder: Path, name: str, version: str, *metadata: str) -> str:
    """Write the smallest wheel there is; return the line that pins it."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{info}/METADATA": "\n".join(
            ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]
        ),
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode()
        record += f"{path},sha256={digest.rstrip('=')},{len(text)}\n"
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as packed:
        for path, text in {**files, f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}.items():
            packed.writestr(path, text)
    return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


@pytest.mark.usefixtures("quick")
def test_a_newer_version_in_the_registry_changes_nothing(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = _wheel(tmp_path, "thing", "1.0", "Provides-Extra: more")
    _wheel(tmp_path, "thing", "2.0", "Provides-Extra: more")
    pinned += _wheel(tmp_path, "user", "1.0", "Requires-Dist: thing[more]>=1.0")
    (project / "requirements" / "embedded.txt").write_text(pinned)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    bootstrap.prepare("embedded")
    installed = {path.name for path in (project / ".venv").glob("lib/*/site-packages/*.dist-info")}
    assert {"thing-1.0.dist-info", "user-1.0.dist-info"} <= installed


@pytest.mark.skipif(not importlib.util.find_spec("pip"), reason="this environment has no pip")
def test_what_the_lists_hold_is_all_that_is_needed() -> None:
    """Lists are installed as they are, so one that lacks a package would go unnoticed."""
    checked = subprocess.run(
        [sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout


def test_it_runs_on_the_standard_library_alone() -> None:
    source = Path(bootstrap.__file__).read_text()
    imported = {
        line.split()[1].partition(".")[0]
        for line in source.splitlines()
        if line.startswith(("import ", "from "))
    }
    assert imported <= sys.stdlib_module_names | {"__future__"}
