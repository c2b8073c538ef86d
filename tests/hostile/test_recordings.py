"""Hostile recordings, each through the real helper: an end in time, and then business."""

import time
from contextlib import suppress

import pytest

from tests.hostile.recordings import RECORDINGS
from tests.recordings import ogg
from tests.running import some_of
from untrusted import recordings
from untrusted.kinds import MEASURE_RECORDING
from untrusted.recordings import UnusableRecording

# A helper that is killed is replaced by the spare; a busy machine may be slow to run it.
QUICK_SECONDS = 2.0


@pytest.mark.parametrize("name", some_of(RECORDINGS, every=3))
def test_a_hostile_recording_is_refused_or_measured(name: str) -> None:
    data = RECORDINGS[name]()
    began = time.monotonic()
    with suppress(UnusableRecording):
        assert recordings.measure(data, owner="eve").duration_ms > 0
    assert time.monotonic() - began < MEASURE_RECORDING.wall_seconds + QUICK_SECONDS
    began = time.monotonic()
    assert recordings.measure(ogg(50), owner="ada").duration_ms == 1_000
    assert time.monotonic() - began < QUICK_SECONDS
