"""Ports of this machine, for servers that are yet to start."""

import socket

LOCALHOST = "127.0.0.1"


def free_port() -> int:
    """Return a port that nobody has, kept for whoever asks for it by number in the next minute."""
    return reserve(0)


def reserve(port: int) -> int:
    """Keep a port from all who ask for just any one, for a minute; 0 takes a free one.

    A connection whose end its server began is remembered for a minute (TIME_WAIT in RFC 9293, 60 s
    in Linux). The system then gives the port to no connection and no server that leaves the choice
    to it, and still gives it to a server that names it. Raises OSError when somebody has it now.
    """
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((LOCALHOST, port))
        # Binding alone succeeds beside another socket that is bound and not listening yet.
        server.listen(1)
        address: tuple[str, int] = server.getsockname()
        with socket.create_connection(address) as client:
            server.accept()[0].close()
            client.recv(1)
    return address[1]
