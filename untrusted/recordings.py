"""Recordings that people send, measured by a helper before a provider listens to them."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal, cast, get_args

from untrusted import lanes
from untrusted.helper import Failed
from untrusted.kinds import MEASURE_RECORDING

# By media type: how the name of such a file ends.
SUFFIXES = {
    "audio/mp4": ".m4a",
    "audio/mpeg": ".mp3",
    "audio/ogg": ".ogg",
    "audio/wav": ".wav",
    "audio/webm": ".webm",
}
MOST_MS = 100_000_000
RecordingFault = Literal["not_audio", "broken", "too_hard"]


class UnusableRecording(Exception):
    """What nobody could listen to; `fault` says why."""

    def __init__(self, fault: RecordingFault, detail: str = "") -> None:
        super().__init__(f"{fault}: {detail}" if detail else fault)
        self.fault: RecordingFault = fault


class CannotMeasure(Exception):
    """No helper had time for the recording; later one may."""


@dataclass(frozen=True)
class MeasuredRecording:
    """What a recording is by what is in it, and how long it plays."""

    media_type: str
    duration_ms: int

    @property
    def suffix(self) -> str:
        return SUFFIXES[self.media_type]


def measure(data: bytes, *, owner: Hashable) -> MeasuredRecording:
    """Look into a recording. Raises UnusableRecording, or CannotMeasure when nobody can now."""
    try:
        note = lanes.do(MEASURE_RECORDING, data, owner=owner).note
    except Failed as failure:
        if failure.why == "busy":
            raise CannotMeasure from failure
        raise UnusableRecording("too_hard", str(failure)) from failure
    fault = note.get("fault")
    if fault is not None:
        known = fault in get_args(RecordingFault)
        raise UnusableRecording(cast(RecordingFault, fault) if known else "broken")
    # It comes out of a helper, so it is as foreign as the recording.
    media_type, duration_ms = note.get("media_type"), note.get("duration_ms")
    if media_type not in SUFFIXES or not isinstance(duration_ms, int) or duration_ms <= 0:
        raise UnusableRecording("broken")
    return MeasuredRecording(media_type, min(duration_ms, MOST_MS))
