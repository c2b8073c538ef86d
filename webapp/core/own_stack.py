"""Work that goes deep, done on a stack of its own, so that a stream that waits keeps a small one.

Python 3.11 gives each greenlet 16 KiB for the frames of its calls and never gives back what was
once touched of them (`_PyThreadState_PushFrame` in Python/pystate.c). A request goes through
gunicorn, Flask, SQLAlchemy and psycopg; of ten thousand streams, each of which went so deep once
and then only waits, that was a third of the memory. Here the deep part gets a greenlet that ends
with it. Without gevent this changes nothing but the stack.
"""

from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar, cast

from flask import Flask
from greenlet import greenlet

P = ParamSpec("P")
R = TypeVar("R")


def on_own_stack(work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Return what `work` returns, or raise what it raises; waiting in it is no different."""
    return cast(R, greenlet(work).switch(*args, **kwargs))


def install(app: Flask) -> None:
    """Let `app` make its answers aside; what streams has yet to be read is read by the server."""
    answer = app.wsgi_app

    def _answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        return on_own_stack(answer, environ, start_response)

    app.wsgi_app = _answer
