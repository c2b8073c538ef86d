"""The kinds of work that helpers do, and what each may take."""

from dataclasses import dataclass

MB = 1024 * 1024


@dataclass(frozen=True)
class LaneLimits:
    """What a helper of one lane may have for as long as it lives.

    The lanes are apart so that an answer never waits behind somebody's PDF.
    """

    name: str
    memory_bytes: int
    # Added to the parent's: files wait, words do not.
    niceness: int
    # So many jobs, and then a fresh helper takes over.
    jobs: int
    # Of all helpers together, beside themselves: they have one uid.
    threads: int


TEXTS = LaneLimits("texts", memory_bytes=768 * MB, niceness=0, jobs=2_000, threads=0)
# The decoder of HEIC does nothing without a thread of its own.
FILES = LaneLimits("files", memory_bytes=1024 * MB, niceness=10, jobs=100, threads=64)
# Pages of the web. Somebody waits for them, and what reads them is large.
PAGES = LaneLimits("pages", memory_bytes=1024 * MB, niceness=5, jobs=100, threads=0)


@dataclass(frozen=True)
class Kind:
    """One kind of work: the function's name inside, its lane, and what one job of it may take.

    Seconds of the clock are for a machine on which much else runs; those of the processor are for
    the work itself.
    """

    name: str
    lane: LaneLimits
    wall_seconds: float
    cpu_seconds: float
    input_bytes: int
    output_bytes: int


RENDER = Kind("render", TEXTS, 4, 1, 4 * MB, 32 * MB)
# While an answer streams: whoever watches sees plain words rather than wait for longer.
ADVANCE = Kind("advance", TEXTS, 2, 1, 4 * MB, 32 * MB)
# For a channel; its output becomes objects, so it is smaller than HTML may be.
STYLE = Kind("style", TEXTS, 4, 1, 4 * MB, 8 * MB)

CHECK_TEXT = Kind("check_text", FILES, 10, 3, 64 * MB, 0)
READ_TEXT = Kind("read_text", FILES, 10, 3, 64 * MB, 8 * MB)
CHECK_PDF = Kind("check_pdf", FILES, 10, 3, 64 * MB, 0)
READ_PDF = Kind("read_pdf", FILES, 30, 10, 64 * MB, 8 * MB)
READ_CALENDAR = Kind("read_calendar", FILES, 10, 3, 2 * MB, 8 * MB)
FIT_PICTURE = Kind("fit_picture", FILES, 30, 10, 64 * MB, 4 * MB)
MAKE_THUMBNAIL = Kind("make_thumbnail", FILES, 15, 5, 64 * MB, 1 * MB)
READ_ARCHIVE = Kind("read_archive", FILES, 30, 10, 64 * MB, 64 * MB)
MEASURE_RECORDING = Kind("measure_recording", FILES, 10, 3, 64 * MB, 0)

READ_PAGE = Kind("read_page", PAGES, 8, 4, 4 * MB, 8 * MB)
CHECK_ROBOTS = Kind("check_robots", PAGES, 4, 1, 1 * MB, 0)
