"""What it costs to have answers rendered by a helper, against doing so in the process itself.

The same answers by turns, of 0.5 to 4 KB, as models write them: prose, lists, tables and code; of
each the lower quartile, so that what else runs on the machine counts little. It misses its target
when the helper takes more than 1.2 times as long, by the median of the answers. How long one word
takes there and back says how much of it is the pipe.
"""

import statistics
import time
from collections.abc import Callable
from uuid import UUID

from settings import get_settings
from untrusted import lanes, rendering
from untrusted.helper import Patience
from untrusted.inside import markdown
from untrusted.kinds import RENDER, TEXTS
from untrusted.lane import Lane

TARGET = 1.2
ROUNDS = 200
JOB = UUID(int=1)
PROSE = (
    "You can do this in **two** steps, and the second one is `optional`. First, look at what you "
    "have: a list of *names*, and for each of them an address. Then decide what matters to you.\n\n"
)
LIST = "1. Open the file.\n2. Read **each line** of it.\n   - skip what is empty\n3. Close it.\n\n"
TABLE = "| Month | Income | Spent |\n|---|--:|--:|\n" + "| May | 1,200 | 980 |\n" * 6 + "\n"
CODE = """```python
def total(entries: list[Entry]) -> int:
    \"\"\"Add up what was spent.\"\"\"
    return sum(entry.amount for entry in entries if entry.amount < 0)
```

"""
ANSWERS = {
    "prose, 0.5 KB": PROSE * 3,
    "a list, 1 KB": PROSE * 4 + LIST * 4,
    "code, 1 KB": PROSE * 2 + CODE * 4,
    "all of it, 2 KB": "## Plan\n\n" + PROSE * 5 + LIST * 3 + TABLE + CODE * 4,
    "all of it, 4 KB": ("## Plan\n\n" + PROSE * 5 + LIST * 3 + TABLE + CODE * 4) * 2,
}


def main(_arguments: list[str]) -> int:
    """Print a line for each answer, and the ratio; return 1 when it is over the target."""
    rendering.render(ANSWERS["all of it, 4 KB"], job_id=JOB)
    markdown.render(ANSWERS["all of it, 4 KB"])
    ratios: list[float] = []
    for name, text in ANSWERS.items():
        inside, helped = _by_turns(
            lambda text=text: markdown.render(text),
            lambda text=text: rendering.render(text, job_id=JOB),
        )
        ratios.append(helped / inside)
        print(
            f"{name:<18}{len(text):5} B   in the process {1000 * inside:6.2f} ms"
            f"   by a helper {1000 * helped:6.2f} ms   {ratios[-1]:.2f} times"
        )
    print(f"there and back with one word: {1000 * _bare():.2f} ms")
    print(f"from nothing to the first answer: {_cold():.2f} s, once a process, ahead of any answer")
    ratio = statistics.median(ratios)
    print(f"{ratio:.2f} times in all (at most {TARGET})")
    lanes.end()
    return 0 if ratio <= TARGET else 1


def _by_turns(one: Callable[[], str], other: Callable[[], str]) -> tuple[float, float]:
    """Return the lower quartile of the seconds of each."""
    took: tuple[list[float], list[float]] = ([], [])
    for _ in range(ROUNDS):
        for work, seconds in zip((one, other), took, strict=True):
            began = time.perf_counter()
            work()
            seconds.append(time.perf_counter() - began)
    return _quartile(took[0]), _quartile(took[1])


def _quartile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=4)[0]


def _bare() -> float:
    took: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        lanes.do(RENDER, b"a", {"has_colours": False}, owner=JOB)
        took.append(time.perf_counter() - began)
    return _quartile(took)


def _cold() -> float:
    lane = Lane(TEXTS, get_settings(), most=2)
    began = time.perf_counter()
    lane.do(RENDER, {"has_colours": True}, b"a", owner=JOB, patience=Patience(60))
    took = time.perf_counter() - began
    lane.end()
    return took
