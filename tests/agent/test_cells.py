"""What becomes of a worker's cells: real ones, with OpenClaw in them."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from agent.cells import health_monitor
from agent.cells.demand import LONG_SECONDS, PATIENCE_SECONDS
from agent.cells.health_monitor import HealthMonitor
from agent.cells.host.disk_usage import Share
from agent.cells.pool import Pool
from agent.runtime import Runtime
from agent.turn import AgentFailed, Profile
from tests.agent.people import Person, TurnListener
from tests.agent.scripted_model import Pause, ScriptedModel, UseTool
from tests.house import wait_for

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

MOST_TURNS = 3
ENOUGH = Share(files=10**6, size_bytes=10**12)
BOOT_SECONDS = 120


@pytest.fixture(scope="module")
def runtime(start_runtime: Callable[..., Runtime]) -> Runtime:
    return start_runtime(cell_max_turns=MOST_TURNS)


@pytest.fixture(scope="module")
def small(start_runtime: Callable[..., Runtime]) -> Runtime:
    """A worker with room for one cell."""
    return start_runtime(cells_per_worker=1)


@pytest.fixture
def eve(runtime: Runtime) -> Person:
    return Person(runtime, Profile("Eve", "UTC", ""))


def test_who_opens_the_chat_finds_their_files_in_a_cell(
    runtime: Runtime, eve: Person, model: ScriptedModel
) -> None:
    assert not runtime.warm(eve.id, (), [eve.id]), "it is at work for her already"
    assert runtime.warm(eve.id, (), [])
    pid = runtime.pid_of(eve.id)

    assert not runtime.warm(eve.id, (), [])
    model.will("Good evening.")
    assert eve.say("Good evening.").text == "Good evening."
    assert runtime.pid_of(eve.id) == pid


def test_nobody_is_warmed_for_who_has_asked(runtime: Runtime, eve: Person) -> None:
    """The only spare is needed by somebody whose turn is about to begin."""
    _wait_for_spare(runtime)
    asking = Person(runtime, Profile("Ada", "UTC", ""))

    assert not runtime.warm(eve.id, (), [asking.id])
    stats = runtime.stats()
    assert (stats.spare, stats.boots.failed) == (1, 0)
    assert stats.boots.worked >= 1
    assert stats.boots.last_ms
    assert stats.memory_free_bytes > 1_000_000
    wait_for(lambda: runtime.stats().memory_bytes > 1_000_000, "cells to be weighed", seconds=10)


def test_a_cell_is_ended_after_so_many_turns(
    runtime: Runtime, eve: Person, model: ScriptedModel
) -> None:
    for number in range(MOST_TURNS):
        model.will(f"Answer {number}.")
        assert eve.say("Go on.", saved=False).text == f"Answer {number}."
    assert runtime.hot_users().count(eve.id) == 1, "what it has is not saved"

    eve.save()

    wait_for(lambda: eve.id not in runtime.hot_users(), "the worn cell to end")
    model.will("From the files.")
    assert eve.say("Still there?").text == "From the files."


def test_a_turn_that_takes_too_much_memory_fails_and_says_so(
    runtime: Runtime, eve: Person, model: ScriptedModel
) -> None:
    _wait_for_spare(runtime)
    model.will("I was about to ", Pause())
    greedy = HealthMonitor(lambda: _cells(runtime), limit_bytes=1, share=ENOUGH)
    listener = TurnListener(on_text=lambda _: _on_loop(runtime, greedy._weigh()))  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(AgentFailed) as failure:
        eve.say("Think hard.", listener=listener, saved=False)

    assert (failure.value.code, failure.value.permanent) == ("out_of_memory", False)
    runtime.discard(eve.id)


def test_a_turn_that_fills_the_disk_fails_for_good_and_says_so(
    runtime: Runtime, eve: Person, model: ScriptedModel
) -> None:
    _wait_for_spare(runtime)
    model.will("I was about to ", Pause())
    strict = HealthMonitor(lambda: _cells(runtime), 10**12, Share(files=10, size_bytes=10**12))
    listener = TurnListener(on_text=lambda _: _on_loop(runtime, strict._count()))  # pyright: ignore[reportPrivateUsage]

    with pytest.raises(AgentFailed) as failure:
        eve.say("Write and write.", listener=listener, saved=False)

    assert (failure.value.code, failure.value.permanent) == ("too_many_files", True)
    runtime.discard(eve.id)


@pytest.mark.long
def test_a_folder_in_folders_without_end_costs_no_third_cell(
    runtime: Runtime, eve: Person, model: ScriptedModel
) -> None:
    """OpenClaw looks at each of the folders so often that it comes to no end."""
    _wait_for_spare(runtime)
    path = "/".join(["d"] * 1_500)
    model.will(UseTool("write", {"path": f"{path}/note.md", "content": "x"}), "Done.")

    with pytest.raises(AgentFailed) as failure:
        runtime.run(eve.turn("Write that down.", attempt=2), TurnListener(), eve.purse, eve.stop)

    assert failure.value.permanent
    assert failure.value.code in {"stuck", "too_many_files"}
    runtime.discard(eve.id)


def test_a_cell_that_hangs_at_a_turn_fails_it_in_time(
    runtime: Runtime, eve: Person, model: ScriptedModel
) -> None:
    model.will("I was about ", Pause(), "to say more.")

    def hang(_: str) -> None:
        pid = runtime.pid_of(eve.id)
        assert pid is not None
        for one in _descendants(pid):
            os.kill(one, signal.SIGSTOP)
        # The model says the rest: now nobody but the cell is waited for.
        model.go_on.set()

    with pytest.raises(AgentFailed) as failure:
        eve.say("Go on.", listener=TurnListener(on_text=hang), saved=False)

    assert (failure.value.code, failure.value.permanent) == ("no_answer", False)
    runtime.discard(eve.id)
    assert eve.id not in runtime.hot_users()


@pytest.mark.long
def test_a_spare_that_hangs_is_replaced(small: Runtime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_monitor, "HEALTH_SECONDS", 0.5)
    (spare,) = _cells(small)
    assert spare.pid is not None
    stopped = spare.pid
    for pid in _descendants(stopped):
        os.kill(pid, signal.SIGSTOP)

    wait_for(lambda: small.stats().spare == 0, "the spare to be given up", seconds=60)
    _wait_for_spare(small)
    assert not Path(f"/proc/{stopped}").exists()
    assert [cell.pid for cell in _cells(small)] != [stopped]


def test_all_that_runs_in_a_cell_is_behind_the_filter(small: Runtime) -> None:
    _wait_for_spare(small)
    (spare,) = _cells(small)
    assert spare.pid is not None
    inside = [pid for pid in _descendants(spare.pid) if _program(pid) == "node"]
    threads = [task for pid in inside for task in Path(f"/proc/{pid}/task").iterdir()]

    assert len(inside) >= 2, "the relay and the gateway"
    assert len(threads) > len(inside)
    for task in threads:
        words = (line.split() for line in (task / "status").read_text().splitlines())
        status = {line[0]: line[1:] for line in words if line}
        assert (status["Seccomp:"], status["NoNewPrivs:"]) == (["2"], ["1"])
        assert int(status["CapEff:"][0], 16) == 0


def test_who_goes_on_asking_makes_room_for_who_waits(small: Runtime, model: ScriptedModel) -> None:
    ada = Person(small, Profile("Ada", "UTC", ""))
    model.will("There you are.")
    ada.say("Quickly, please.", saved=False)
    small.tell_queue(1, PATIENCE_SECONDS)
    assert small.hot_users() == [ada.id], "she may still go on"

    small.tell_queue(1, LONG_SECONDS)
    assert small.hot_users() == []
    assert small.owners() == [ada.id], "what she has is not saved"

    ada.save()
    wait_for(lambda: small.owners() == [], "her cell to be ended", seconds=10)
    wait_for(lambda: small.stats().booting == 1, "a spare to boot", seconds=10)


def _wait_for_spare(runtime: Runtime) -> None:
    wait_for(lambda: runtime.stats().spare == 1, "a spare", seconds=BOOT_SECONDS)


def _cells(runtime: Runtime) -> list[Any]:
    pool: Pool = runtime._pool  # pyright: ignore[reportPrivateUsage]
    return list(pool._cells)  # pyright: ignore[reportPrivateUsage]


def _on_loop(runtime: Runtime, work: Coroutine[Any, Any, None]) -> Future[None]:
    loop: asyncio.AbstractEventLoop = runtime._loop  # pyright: ignore[reportPrivateUsage]
    return asyncio.run_coroutine_threadsafe(work, loop)


def _program(pid: int) -> str:
    return Path(f"/proc/{pid}/exe").readlink().name


def _descendants(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [int(child) for child in children] + [
        further for child in children for further in _descendants(int(child))
    ]
