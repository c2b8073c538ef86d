"""What a recording is, by what is in it, and how long it plays."""

from untrusted.inside.audio import mp3, mp4, ogg, wav, webm
from untrusted.inside.audio.measured import BadRecording, Measured


def measure(data: bytes) -> Measured:
    """Say which container a recording is in and how long it plays. Raises BadRecording."""
    found = _measured(data)
    if found.seconds <= 0:
        raise BadRecording("broken")
    return found


def _measured(data: bytes) -> Measured:
    if data.startswith(ogg.MARK):
        return ogg.measure(data)
    if data.startswith(webm.EBML):
        return webm.measure(data)
    if data[4:8] == b"ftyp":
        return mp4.measure(data)
    if data.startswith(b"RIFF") and data[8:12] == b"WAVE":
        return wav.measure(data)
    return mp3.measure(data)
