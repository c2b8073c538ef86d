"""One supervisor holds a data folder, and what it is asked for stays the same between runs."""

import socket
import stat
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from embedded import data_folder
from embedded.data_folder import DataFolder
from embedded.errors import CannotStart
from settings import PROJECT_DIR

HOLD = """
import sys
from pathlib import Path
from embedded.data_folder import DataFolder
with DataFolder(Path(sys.argv[1])).held():
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Generator[subprocess.Popen[bytes]]:
    """Another process that holds the folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        cwd=PROJECT_DIR,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        yield holder
        holder.kill()


def test_a_second_holder_is_refused_and_told_who_the_first_is(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    already = rf"already runs on .* \(process {holder.pid}\)"
    with pytest.raises(CannotStart, match=already), DataFolder(tmp_path).held():
        pass


def test_the_folder_of_a_killed_holder_is_free_at_once(
    tmp_path: Path, holder: subprocess.Popen[bytes]
) -> None:
    holder.kill()
    holder.wait()
    with DataFolder(tmp_path).held():
        assert (tmp_path / "lock").read_text().strip() != str(holder.pid)


def test_secrets_are_made_once_differ_and_are_for_the_owner_only(tmp_path: Path) -> None:
    with DataFolder(tmp_path).held():
        made = DataFolder(tmp_path).secret("secret_key")
        assert DataFolder(tmp_path).secret("redis_password") != made
        assert DataFolder(tmp_path).secret("secret_key") == made
    assert len(made) == 64
    kept = tmp_path / "credentials.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "logs").stat().st_mode) == 0o700


def test_damaged_credentials_are_refused_and_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text("{")
    with pytest.raises(CannotStart, match=r"credentials\.json is damaged"):
        DataFolder(tmp_path).secret("secret_key")
    assert (tmp_path / "credentials.json").read_text() == "{"


def test_a_port_stays_the_same_until_somebody_else_has_it(tmp_path: Path) -> None:
    chosen = DataFolder(tmp_path).port("postgres")
    assert DataFolder(tmp_path).port("postgres") == chosen
    with socket.create_server(("127.0.0.1", chosen)):
        another = DataFolder(tmp_path).port("postgres")
    assert another != chosen
    assert DataFolder(tmp_path).port("postgres") == another


def test_a_full_disk_is_told_in_a_sentence_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(data_folder, "NEEDED_BYTES", 1 << 60)
    fresh = tmp_path / "fresh"
    with pytest.raises(CannotStart, match="disk is too full"), DataFolder(fresh).held():
        pass
    assert not fresh.exists()


def test_a_folder_that_cannot_be_made_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    inside = DataFolder(tmp_path / "file" / "data")
    with (
        pytest.raises(CannotStart, match=r"^Cannot go on: .*file.*: Not a directory\.$"),
        inside.held(),
    ):
        pass
