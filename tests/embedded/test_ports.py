"""Ports that are kept for servers that are yet to start."""

import socket
import struct

import pytest

from embedded.ports import LOCALHOST, free_port, reserve

# Linux 6.3 and later: ip(7). Python has no name for it before 3.15.
IP_LOCAL_PORT_RANGE = 51


def _anyone(port: int) -> socket.socket:
    """A socket that leaves its port to the system, which has this one alone to give."""
    asking = socket.socket()
    try:
        asking.setsockopt(
            socket.IPPROTO_IP, IP_LOCAL_PORT_RANGE, struct.pack("=I", port << 16 | port)
        )
    except OSError:
        asking.close()
        pytest.skip("this system's sockets cannot be bound to a range of ports")
    return asking


def test_a_port_is_kept_from_those_who_ask_for_any_one_and_given_to_its_server() -> None:
    port = free_port()
    with socket.create_server((LOCALHOST, 0)) as elsewhere:
        with _anyone(port) as client, pytest.raises(OSError, match="Cannot assign"):
            client.connect(elsewhere.getsockname())
        with _anyone(port) as server, pytest.raises(OSError, match="in use"):
            server.bind((LOCALHOST, 0))
    with socket.create_server((LOCALHOST, port)) as server:
        assert server.getsockname()[1] == port


def test_a_port_that_somebody_has_is_not_reserved() -> None:
    with socket.create_server((LOCALHOST, 0)) as other, pytest.raises(OSError, match="in use"):
        reserve(other.getsockname()[1])
