"""What memory cells take, as the worker and the kernel see it: real processes that take some."""

import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

import pytest

from agent.cells.host.cgroups import PREFIX, Cgroup, Cgroups
from agent.cells.host.memory import available_bytes, left_in, resident_bytes

MB = 1024 * 1024
# Takes so many megabytes, in a child of its own as a cell's are, and says so.
TAKER = """
import subprocess, sys
code = "import sys; held = bytearray(int(sys.argv[1]) << 20); print(flush=True); sys.stdin.read()"
sys.exit(subprocess.call([sys.executable, "-c", code, sys.argv[1]]))
"""


@pytest.fixture(scope="module")
def groups() -> Cgroups:
    found = Cgroups.find()
    if found is None:
        pytest.skip("this system lets us make no control groups; the pool watches instead")
    return found


def test_two_that_make_groups_in_one_process_do_not_meet(groups: Cgroups) -> None:
    other = Cgroups.find()
    assert other is not None
    made = [one.make(100 * MB) for one in (groups, other, groups, other)]
    assert len({group.folder for group in made}) == 4
    for group in made:
        group.remove()


@pytest.fixture
def small(groups: Cgroups) -> Generator[Cgroup]:
    group = groups.make(100 * MB)
    yield group
    group.remove()
    assert not group.folder.exists()


def test_all_that_descends_from_a_process_counts() -> None:
    with _taking(60) as process:
        assert process.stdout is not None
        process.stdout.readline()

        found = resident_bytes([process.pid, 2**30])

        assert 60 * MB < found[process.pid] < 120 * MB
        assert found[2**30] == 0
        process.communicate()


def test_there_is_memory_left() -> None:
    assert 0 < available_bytes() < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def test_files_that_were_read_leave_as_much_memory_as_before(
    groups: Cgroups, tmp_path: Path
) -> None:
    """The kernel keeps them while nobody needs the room. Cells were given up for it."""
    group = groups.make(400 * MB)
    file = tmp_path / "read"
    file.write_bytes(os.urandom(MB) * 200)
    _forget_cached(file)
    # In slices, or the reader would have it in its own memory as well.
    read = (
        "import sys\nwith open(sys.argv[1], 'rb') as file:\n"
        "  while file.read(1 << 20): pass\nprint(flush=True); sys.stdin.read()"
    )
    words = [*group.joining(), sys.executable, "-c", read, str(file)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as reading:
        assert reading.stdout is not None
        reading.stdout.readline()

        left = left_in(group.folder)

        reading.communicate()
    group.remove()
    assert left is not None
    assert left > 300 * MB


def _forget_cached(file: Path) -> None:
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def test_what_stays_below_its_bound_is_left_alone(small: Cgroup) -> None:
    with _taking(50, *small.joining()) as process:
        process.communicate()

    assert process.returncode == 0
    assert not small.was_too_small()


def test_the_kernel_ends_what_takes_more_than_its_bound(small: Cgroup) -> None:
    with _taking(200, *small.joining()) as process:
        process.communicate()

    assert process.returncode != 0
    assert small.was_too_small()


def test_a_group_is_removed_with_what_still_runs_in_it(groups: Cgroups) -> None:
    group = groups.make(100 * MB)
    with _taking(10, *group.joining()) as process:
        assert process.stdout is not None
        process.stdout.readline()

        group.remove()

        process.wait(10)
    assert not group.folder.exists()


def test_the_groups_of_a_dead_worker_are_removed(groups: Cgroups) -> None:
    mine = groups.make(100 * MB)
    with subprocess.Popen([sys.executable, "-c", ""]) as dead:
        dead.wait()
    left = mine.folder.with_name(f"{PREFIX}-{dead.pid}-1")
    left.mkdir()

    Cgroups.find()

    assert not left.exists()
    assert mine.folder.exists()
    mine.remove()


def _taking(megabytes: int, *before: str) -> subprocess.Popen[bytes]:
    words = [*before, sys.executable, "-c", TAKER, str(megabytes)]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
