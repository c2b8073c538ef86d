"""Charts as SVG, drawn on the server: a line over time, the range before it, and what each part is.

Shapes stretch to the width that there is; words stand around them as HTML, so that they stay as
large as they are. Each chart has its numbers as a table too.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

# The chart's own units.
WIDTH, HEIGHT = 1000, 240
# What a scale may end at, times a power of ten.
STEPS = (1, 2, 2.5, 5, 10)


@dataclass(frozen=True)
class Value:
    """A part of a range of time: its name, its number, and that of the range before."""

    name: str
    number: int
    before: int


@dataclass(frozen=True)
class Spot:
    """Where the pointer finds a part, and what it says there."""

    x: float
    width: float
    dot_x: float
    dot_y: float
    words: str


@dataclass(frozen=True)
class Row:
    """The same as a line of the table."""

    name: str
    number: str
    before: str


@dataclass(frozen=True)
class Chart:
    """A line, the area below it, the line before, the scale, and the parts."""

    line: str
    # The last part, which is not over yet.
    unfinished: str
    area: str
    before: str
    zero_y: float
    # Of the scale, from above; and below the chart, from the left.
    marks: tuple[str, str, str]
    names: tuple[str, str, str]
    spots: tuple[Spot, ...]
    rows: tuple[Row, ...]
    width: int = WIDTH
    height: int = HEIGHT


Written = Callable[[int], str]


def render(values: Sequence[Value], written: Written, marked: Written | None = None) -> Chart:
    """Draw values from left to right; `written` says a number, and `marked` beside the scale."""
    low, high = _scale([one for value in values for one in (value.number, value.before)])
    now = [(_x(at, values), _y(one.number, low, high)) for at, one in enumerate(values)]
    before = [(_x(at, values), _y(one.before, low, high)) for at, one in enumerate(values)]
    zero = _y(0, low, high)
    marked = marked or written
    return Chart(
        line=_path(now[:-1]),
        unfinished=_path(now[-2:]),
        area=_area(now[:-1], zero),
        before=_path(before),
        zero_y=zero,
        marks=(marked(high), marked((high + low) // 2), marked(low)),
        names=_names(values),
        spots=tuple(_spot(at, values, point, written) for at, point in enumerate(now)),
        rows=tuple(Row(one.name, written(one.number), written(one.before)) for one in values),
    )


def _scale(numbers: Sequence[int]) -> tuple[int, int]:
    """Return where the scale ends, below and above; zero is its end or its middle."""
    most, least = max(*numbers, 0, 0), min(*numbers, 0, 0)
    if least >= 0:
        return 0, max(_round_up(most), 2)
    # As far down as up, so that the mark in the middle is zero.
    end = _round_up(max(most, -least))
    return -end, end


def _round_up(number: int) -> int:
    if number <= 0:
        return 0
    power = 10 ** math.floor(math.log10(number))
    return max(2, math.ceil(next(step for step in STEPS if step * power >= number) * power))


def _x(at: int, values: Sequence[Value]) -> float:
    return round((at + 0.5) * WIDTH / len(values), 1)


def _y(number: int, low: int, high: int) -> float:
    return round(HEIGHT * (high - number) / (high - low), 1)


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{'L' if at else 'M'}{x} {y}" for at, (x, y) in enumerate(points))


def _area(points: Sequence[tuple[float, float]], zero: float) -> str:
    return f"{_path(points)} L{points[-1][0]} {zero} L{points[0][0]} {zero} Z" if points else ""


def _names(values: Sequence[Value]) -> tuple[str, str, str]:
    if not values:
        return "", "", ""
    return values[0].name, values[len(values) // 2].name, values[-1].name


def _spot(at: int, values: Sequence[Value], point: tuple[float, float], written: Written) -> Spot:
    width, one = WIDTH / len(values), values[at]
    words = f"{one.name}: {written(one.number)} (before: {written(one.before)})"
    return Spot(round(at * width, 1), round(width, 1), *point, words)
