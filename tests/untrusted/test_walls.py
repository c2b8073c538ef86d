"""What a helper is shut off from, seen from outside, behind each wall that this machine has."""

import os
from collections.abc import Generator
from pathlib import Path

import pytest

from settings import PROJECT_DIR, Settings
from tests.untrusted.helpers import a_lane, innermost, limits_of, status_of
from untrusted.kinds import FILES, TEXTS, LaneLimits
from untrusted.walls import Wall, walls

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other uids to give")


@pytest.fixture(params=["auto", "uid"])
def sandbox(request: pytest.FixtureRequest) -> str:
    """With bubblewrap, if it works here, and without."""
    return str(request.param)


@pytest.fixture(params=[TEXTS, FILES], ids=["texts", "files"])
def helper(
    request: pytest.FixtureRequest, settings: Settings, sandbox: str
) -> Generator[tuple[LaneLimits, Path]]:
    """A helper that is ready for its first job, and what it may have."""
    with a_lane(request.param, settings, sandbox=sandbox) as lane:
        yield request.param, innermost(lane.pids()[0])


@needs_root
def test_a_helper_has_no_rights_no_secrets_and_no_files(
    helper: tuple[LaneLimits, Path], settings: Settings
) -> None:
    limits, process = helper
    status = status_of(process)
    assert status["Uid"].split() == status["Gid"].split() == [str(settings.untrusted_uid)] * 4
    assert status["Groups"] == ""
    assert {int(status[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapBnd")} == {0}
    assert status["NoNewPrivs"] == "1"
    # A filter of system calls.
    assert status["Seccomp"] == "2"
    # Bubblewrap says where it has put it.
    assert (process / "environ").read_bytes() in {b"", b"PWD=/\0"}
    files = {str(link.readlink()).partition(":")[0] for link in (process / "fd").iterdir()}
    assert files == {"/dev/null", "socket"}
    bounds = limits_of(process)
    assert bounds["Max address space"] == str(limits.memory_bytes)
    assert int(bounds["Max open files"]) <= 32
    assert bounds["Max file size"] == bounds["Max core file size"] == "0"
    assert bounds["Max processes"] == str(limits.threads)


@needs_root
def test_a_helper_reaches_no_network_and_no_root_of_ours(
    helper: tuple[LaneLimits, Path],
) -> None:
    _, process = helper
    for kind in ("net", "ipc", "mnt", "uts"):
        assert (process / "ns" / kind).readlink() != Path(f"/proc/self/ns/{kind}").readlink()
    for ours in (
        PROJECT_DIR / "settings" / "__init__.py",
        Path("/etc/passwd"),
        Path("/etc/shadow"),
    ):
        assert ours.exists()
        assert not (process / "root" / ours.relative_to("/")).exists()


def test_only_a_wall_of_namespaces_will_do_where_it_is_asked_for(settings: Settings) -> None:
    strict = settings.model_copy(update={"sandbox": "bwrap", "bwrap_path": Path("/bin/false")})
    assert [wall.bwrap for wall in walls(strict)] == [Path("/bin/false")]
    assert [wall.bwrap for wall in walls(settings.model_copy(update={"sandbox": "uid"}))] == [None]


@pytest.mark.parametrize(
    "seen",
    [
        {},
        {"uid": 0, "no_new_privs": True, "networks": ["lo"]},
        {"uid": 5, "no_new_privs": False, "networks": ["lo"]},
        {"uid": 5, "no_new_privs": True, "networks": ["eth0", "lo"]},
    ],
)
def test_a_wall_that_does_not_hold_is_not_believed(seen: dict[str, object]) -> None:
    wall = Wall(5, Path("/usr/bin/bwrap"))
    assert wall.faults(seen)
    assert not wall.faults({"uid": 5, "no_new_privs": True, "networks": ["lo"]})
