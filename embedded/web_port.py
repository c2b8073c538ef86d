"""The one port that people see. It is taken first of all, so that a clash is told at once."""

import errno
import socket

from embedded.errors import CannotStart, in_one_sentence
from embedded.ports import LOCALHOST

BACKLOG = 4096


def take_port(port: int) -> socket.socket:
    """Return a listening socket on 127.0.0.1; 0 takes any free port.

    Listening from the start keeps the port ours, and a page opened too early waits for the web
    instead of failing. Raises CannotStart when the port is taken or may not be.
    """
    listener = socket.socket()
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((LOCALHOST, port))
        listener.listen(BACKLOG)
    except OSError as trouble:
        listener.close()
        if trouble.errno == errno.EADDRINUSE:
            raise CannotStart(
                f"Port {port} is in use by another program: stop it, or choose another one, as in "
                f"PORT={port + 1} make run"
            ) from trouble
        if trouble.errno == errno.EACCES:
            raise CannotStart(
                f"Port {port} is for root alone: choose one above 1023, as in PORT=8000 make run"
            ) from trouble
        raise CannotStart(f"Port {port}: {in_one_sentence(trouble)}") from trouble
    return listener
