"""The pieces of an answer, put together as text that can be kept."""

from codecs import getincrementaldecoder

from agent.meter.marks import unmarked


class SurrogateDecoder:
    """OpenClaw counts in halves of such characters as emoji, and may cut between the two.

    PostgreSQL keeps neither a half nor a NUL.
    """

    def __init__(self) -> None:
        self._halves = getincrementaldecoder("utf-16-le")("replace")

    def add(self, piece: str, *, is_last: bool = False) -> str:
        """Return what can be said by now; half a character waits for its other half."""
        halves = piece.encode("utf-16-le", "surrogatepass")
        return unmarked(self._halves.decode(halves, is_last)).replace("\x00", "")
