"""What Landlock leaves a process, by a process that it was put on."""

import json
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from settings import PROJECT_DIR
from untrusted import landlock

pytestmark = pytest.mark.skipif(landlock.version() == 0, reason="this kernel has no Landlock")
CHILD = """
import json, os, socket, sys
from untrusted import landlock
from untrusted.launcher import refuse_new_privileges
aims = json.loads(sys.argv[1])
if aims["is_on"]:
    refuse_new_privileges()
    landlock.restrict(aims["readable"], aims["writable"])
def attempt(work):
    try:
        work()
    except OSError as error:
        return type(error).__name__
    return "done"
def made(name):
    with open(name, "w") as file: file.write("x")
def run(name):
    child = os.fork()
    if child == 0:
        try: os.execv(name, [name])
        except OSError: os._exit(9)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]): raise PermissionError
theirs, ours = aims["theirs"], aims["ours"]
print(json.dumps({
    "read": attempt(lambda: open(theirs + "/secret").read()),
    "list": attempt(lambda: os.listdir(theirs)),
    "write": attempt(lambda: made(theirs + "/new")),
    "read its own": attempt(lambda: os.listdir(ours)),
    "write its own": attempt(lambda: made(ours + "/new")),
    "move its own": attempt(lambda: os.rename(ours + "/new", ours + "/folder/new")),
    "run its own": attempt(lambda: run(ours + "/program")),
    "tcp": attempt(lambda: socket.create_connection(("127.0.0.1", aims["port"]))),
}))
"""


@pytest.mark.parametrize("is_on", [True, False])
def test_it_closes_all_but_what_is_named(tmp_path: Path, is_on: bool) -> None:
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    for folder in (theirs, ours, ours / "folder"):
        folder.mkdir()
    (theirs / "secret").touch()
    program = ours / "program"
    program.write_bytes(Path("/bin/true").read_bytes())
    program.chmod(0o755)
    system = ["/usr", "/lib", "/lib64", sys.base_prefix, str(PROJECT_DIR)]
    with socket.create_server(("127.0.0.1", 0)) as server:
        aims = {
            "is_on": is_on,
            "readable": [path for path in system if Path(path).exists()],
            "writable": [str(ours)],
            "theirs": str(theirs),
            "ours": str(ours),
            "port": server.getsockname()[1],
        }
        done = subprocess.run(
            [sys.executable, "-c", CHILD, json.dumps(aims)],
            cwd=PROJECT_DIR,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    got = json.loads(done.stdout)

    own = {"read its own", "write its own", "move its own"}
    refused = {"read", "list", "write", "run its own"}
    if landlock.version() >= landlock.NETWORK_SINCE:
        refused.add("tcp")
    allowed = own if is_on else own | refused
    assert {name for name, answer in got.items() if answer == "done"} >= allowed
    assert not is_on or {got[name] for name in refused} == {"PermissionError"}
