"""Deep work has a stack of its own, and is no different for it."""

from collections.abc import Iterator

import pytest
from flask import Flask, Response
from greenlet import getcurrent

from webapp.core import own_stack


def test_it_returns_what_the_work_returns_and_raises_what_it_raises() -> None:
    def work(number: int) -> int:
        if number < 0:
            raise ValueError("negative")
        return number + 1

    assert own_stack.on_own_stack(work, 1) == 2
    with pytest.raises(ValueError, match="negative"):
        own_stack.on_own_stack(work, -1)


def test_an_answer_is_made_aside_and_streamed_on_the_servers_own_stack() -> None:
    app = Flask(__name__)
    stacks: list[object] = []

    def frames() -> Iterator[str]:
        stacks.append(getcurrent())
        yield "one"

    def answer() -> Response:
        stacks.append(getcurrent())
        return Response(frames())

    app.add_url_rule("/", view_func=answer)
    own_stack.install(app)

    assert app.test_client().get("/").text == "one"

    made, streamed = stacks
    assert streamed is getcurrent()
    assert made is not getcurrent()
