"""What a program has left that was started by the launcher."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from untrusted import launcher
from untrusted.seccomp import CELLS, program

UID = 64_990


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can change uids")
def test_a_program_has_one_group_and_no_right_of_who_started_it(tmp_path: Path) -> None:
    calls = tmp_path / "calls.bpf"
    calls.write_bytes(program(CELLS))
    plan = json.dumps({"limits": {}, "uid": UID, "filter": str(calls)})

    done = subprocess.run(
        [sys.executable, "-I", "-S", launcher.__file__, plan, "/bin/cat", "/proc/self/status"],
        extra_groups=[0, 4],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    lines = (line.partition(":") for line in done.stdout.splitlines())
    status = {name: value.split() for name, _, value in lines}
    assert status["Uid"] == status["Gid"] == [str(UID)] * 4
    assert status["Groups"] == []
    held = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")
    assert {int(status[name][0], 16) for name in held} == {0}
    assert (status["NoNewPrivs"], status["Seccomp"]) == (["1"], ["2"])
