"""The browser journeys have a browser, or it is said that they have none."""

from pathlib import Path

import pytest

from embedded import apt, chromium
from embedded.errors import CannotStart

APT = """#!/bin/sh
echo "$@" >> {log}
test "$2" != install || {{ printf '#!/bin/sh\\n' > {bin}/chromium; chmod +x {bin}/chromium; }}
"""


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without a browser, where nothing may be installed; returns its PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.delenv("CHROMIUM_PATH", raising=False)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(apt.os, "geteuid", lambda: 1000)
    return programs


def test_a_browser_that_is_there_is_used(bare: Path) -> None:
    (bare / "chromium").touch(mode=0o755)
    assert chromium.ensure_chromium() == str(bare / "chromium")


def test_where_nothing_may_be_installed_there_is_none(bare: Path) -> None:
    assert list(bare.iterdir()) == []
    assert chromium.ensure_chromium() is None


def test_in_ci_having_none_is_an_error(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(CannotStart, match="in CI the browser journeys must run"):
        chromium.ensure_chromium()


@pytest.mark.skipif(not Path("/etc/debian_version").exists(), reason="apt is Debian's")
def test_root_on_debian_installs_it_by_apt(
    bare: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "apt.log"
    program = bare / "apt-get"
    program.write_text(APT.format(log=log, bin=bare).replace("chmod", "/bin/chmod"))
    program.chmod(0o755)
    monkeypatch.setattr(apt.os, "geteuid", lambda: 0)
    assert chromium.ensure_chromium() == str(bare / "chromium")
    words = [line.split()[1] for line in log.read_text().splitlines()]
    assert words == ["update", "install"]
