"""Becomes a given program, tied to the process that started it.

    python -I -S pdeathsig_launcher.py PARENT_PID SIGNAL UID GID PROGRAM [ARGUMENT...]

Where the system can (Linux), the program gets SIGNAL when its parent dies, however it dies. UID
and GID of -1 stay as they are. A script of its own because such things cannot be done safely
between fork and exec of a process with threads; it runs under the bare standard library.
"""

import ctypes
import os
import resource
import sys

PR_SET_PDEATHSIG = 1
WANTED_OPEN_FILES = 65536


def main() -> None:
    parent, signal_number, uid, gid = (int(word) for word in sys.argv[1:5])
    command = sys.argv[5:]
    _raise_open_files()
    if uid >= 0:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of user, which would clear it.
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("whoever started this is gone")
    os.execvpe(command[0], command, os.environ)  # noqa: TID251, S606


def _raise_open_files() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_OPEN_FILES if hard == resource.RLIM_INFINITY else min(WANTED_OPEN_FILES, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


if __name__ == "__main__":
    main()
