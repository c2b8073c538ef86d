"""Helpers that are shared: ended in time, replaced at once, and fair between people."""

import os
import resource
import signal
import threading
import time
from collections.abc import Generator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from settings import Settings
from tests.hostile.pdfs import FINE, slow
from tests.house import wait_for
from tests.untrusted.helpers import a_lane, innermost
from untrusted import lanes
from untrusted.helper import Failed, Patience
from untrusted.kinds import FILES, READ_PDF, READ_TEXT, RENDER, TEXTS
from untrusted.lane import Lane

SLOW = slow()
ADA, EVE = "ada", "eve"
PAGE = {"most_chars": 1_000, "seconds": 60}
WITH_COLOURS = {"has_colours": True}
AT_ONCE_SECONDS = 1.0


@pytest.fixture(scope="module")
def files(settings: Settings) -> Generator[Lane]:
    """A lane for files with at most two helpers."""
    with a_lane(FILES, settings) as lane:
        yield lane


def read(lane: Lane, data: bytes, owner: str, patience: Patience) -> str:
    return lane.do(READ_PDF, PAGE, data, owner=owner, patience=patience).body.decode()


def read_slowly(lane: Lane, stop: threading.Event, ends: list[str]) -> threading.Thread:
    def run() -> None:
        try:
            read(lane, SLOW, EVE, Patience(60, stop))
        except Failed as failure:
            ends.append(failure.why)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_a_stop_ends_a_job_at_once(files: Lane) -> None:
    stop, ends = threading.Event(), list[str]()
    thread = read_slowly(files, stop, ends)
    time.sleep(0.3)
    stop.set()
    thread.join(AT_ONCE_SECONDS)
    assert ends == ["stopped"]


def test_a_job_ends_with_its_time_and_its_process_is_gone(files: Lane) -> None:
    wait_for(files.pids, "a helper")
    process = innermost(files.pids()[-1])
    with pytest.raises(Failed, match="too_slow"):
        read(files, SLOW, EVE, Patience(0.5))
    wait_for(lambda: not process.exists(), "the helper to be gone")


def test_the_processor_time_of_a_job_is_bounded_by_the_kernel(files: Lane) -> None:
    short = replace(READ_PDF, cpu_seconds=0.3)
    with pytest.raises(Failed, match="died"):
        files.do(short, PAGE, SLOW, owner=EVE, patience=Patience(60))


def test_the_next_has_a_helper_at_once(files: Lane) -> None:
    for _ in range(3):
        with pytest.raises(Failed):
            read(files, SLOW, EVE, Patience(0.2))
        began = time.monotonic()
        assert read(files, FINE, ADA, Patience(10)) == "Invoice 4711"
        assert time.monotonic() - began < 3 * AT_ONCE_SECONDS


def test_one_person_has_no_more_than_their_share(files: Lane) -> None:
    stop, ends = threading.Event(), list[str]()
    threads = [read_slowly(files, stop, ends) for _ in range(6)]
    time.sleep(0.2)
    began = time.monotonic()
    assert read(files, FINE, ADA, Patience(10)) == "Invoice 4711"
    assert time.monotonic() - began < 3 * AT_ONCE_SECONDS
    stop.set()
    for thread in threads:
        thread.join(2 * AT_ONCE_SECONDS)
    assert ends == ["stopped"] * 6


def test_whoever_finds_no_helper_in_time_is_told(files: Lane) -> None:
    stop, ends = threading.Event(), list[str]()
    thread = read_slowly(files, stop, ends)
    time.sleep(0.2)
    with pytest.raises(Failed, match="busy"):
        read(files, FINE, EVE, Patience(0.3))
    stop.set()
    thread.join()


def test_a_helper_that_was_killed_while_idle_costs_nobody_a_job(files: Lane) -> None:
    wait_for(files.pids, "a helper")
    for pid in files.pids():
        os.kill(int(innermost(pid).name), signal.SIGKILL)
    time.sleep(0.2)
    assert read(files, FINE, ADA, Patience(30)) == "Invoice 4711"


def test_a_lane_outlives_a_lack_of_descriptors(settings: Settings) -> None:
    """Its thread goes on, and starts a helper once there are some again."""
    lane = Lane(TEXTS, settings, most=1)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with capture_logs() as lines:
        resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
        try:
            lane.warm()
            wait_for(lambda: lines, "the lane to have tried")
        finally:
            resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    try:
        assert lines[0]["event"] == "helper.not_started"
        wait_for(lane.pids, "a helper", seconds=60)
    finally:
        lane.end()


def test_a_job_that_is_too_large_is_not_even_sent(files: Lane) -> None:
    with pytest.raises(Failed, match="too_large"):
        files.do(READ_TEXT, PAGE, bytes(65 * 1024 * 1024), owner=EVE, patience=Patience(10))


def test_more_than_a_job_may_bring_is_not_taken(settings: Settings) -> None:
    little = replace(RENDER, output_bytes=1_000)
    with a_lane(TEXTS, settings) as texts, pytest.raises(Failed, match="too_large"):
        texts.do(little, WITH_COLOURS, b"a" * 2_000, owner=EVE, patience=Patience(20))


def test_a_helper_is_replaced_after_so_many_jobs(settings: Settings) -> None:
    few = replace(TEXTS, jobs=2)
    with a_lane(few, settings) as lane:
        first = set(lane.pids())
        for _ in range(4):
            lane.do(RENDER, WITH_COLOURS, b"x", owner=ADA, patience=Patience(30))
        assert not first & set(lane.pids())


def test_memory_is_bounded(settings: Settings) -> None:
    tight = replace(FILES, memory_bytes=200 * 1024 * 1024)
    with a_lane(tight, settings) as lane, pytest.raises(Failed, match=r"error|died"):
        note = {"most_chars": 1}
        lane.do(READ_TEXT, note, "é".encode() * 30_000_000, owner=EVE, patience=Patience(30))


def test_nothing_is_started_before_it_is_needed(settings: Settings) -> None:
    lane = Lane(TEXTS, settings, most=2)
    assert lane.pids() == []
    lane.end()
    with pytest.raises(Failed, match="busy"):
        lane.do(RENDER, WITH_COLOURS, b"x", owner=ADA, patience=Patience(0.1))


def test_a_child_of_this_process_has_helpers_of_its_own() -> None:
    lanes.do(RENDER, b"x", WITH_COLOURS, owner=ADA)
    reading_end, writing_end = os.pipe()
    child = os.fork()
    if child == 0:
        done = lanes.do(RENDER, b"**y**", WITH_COLOURS, owner=ADA, patience=Patience(60))
        os.write(writing_end, done.body)
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading_end, 100) == b"<p><strong>y</strong></p>\n"
    assert lanes.do(RENDER, b"x", WITH_COLOURS, owner=ADA).body == b"<p>x</p>\n"
