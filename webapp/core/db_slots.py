"""Live streams ask the database in turns, so that pages never wait for thousands of them.

After a restart, or when Redis comes back, every open page looks at the same moment. Without turns
they would take all connections, and whoever is thirtieth in line would be refused after a while.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# Of the connections that a web process has (`models.database.connect`), pages keep the others.
AT_ONCE = 8

_free = threading.BoundedSemaphore(AT_ONCE)


@contextmanager
def turn() -> Generator[None]:
    """Wait, for as long as it takes, until this stream may ask; do not nest, nor yield in it."""
    with _free:
        yield


def in_turn(view: Callable[P, R]) -> Callable[P, R]:
    """Let a view wait for its turn before it asks anything, who is asking included."""

    @wraps(view)
    def _view(*args: P.args, **kwargs: P.kwargs) -> R:
        with turn():
            return view(*args, **kwargs)

    return _view
