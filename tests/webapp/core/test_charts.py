"""Charts: every number has its place, its words and its row."""

import pytest

from webapp.core.charts import HEIGHT, WIDTH, Value, render
from webapp.core.formats import lasted, short_money


def values(*numbers: int) -> list[Value]:
    return [Value(f"part {at}", number, 0) for at, number in enumerate(numbers)]


def test_the_highest_is_at_the_top_and_zero_at_the_bottom() -> None:
    chart = render(values(0, 50, 100), str)
    assert [spot.dot_y for spot in chart.spots] == [HEIGHT, HEIGHT / 2, 0]
    assert chart.marks == ("100", "50", "0")
    assert chart.zero_y == HEIGHT
    assert sum(spot.width for spot in chart.spots) == pytest.approx(WIDTH, abs=1)


def test_what_is_below_zero_is_below_its_line() -> None:
    chart = render(values(-30, 100), str)
    assert chart.zero_y < chart.spots[0].dot_y <= HEIGHT
    assert chart.spots[1].dot_y == 0
    assert chart.marks == ("100", "0", "-100")
    assert chart.zero_y == HEIGHT / 2


@pytest.mark.parametrize(
    ("most", "mark"), [(1, 2), (3, 5), (11, 20), (26, 50), (99, 100), (1234, 2000), (2_400, 2_500)]
)
def test_scales_end_at_round_numbers(most: int, mark: int) -> None:
    assert render(values(most, 0), str).marks[0] == str(mark)


def test_nothing_at_all_can_be_drawn() -> None:
    assert render(values(0, 0), str).marks == ("2", "1", "0")
    assert render([], str).line == ""


def test_the_last_part_is_not_over() -> None:
    chart = render(values(1, 2, 3), str)
    assert (chart.line.count("L"), chart.unfinished.count("L")) == (1, 1)
    assert chart.unfinished.endswith(f"{chart.spots[2].dot_x} {chart.spots[2].dot_y}")


def test_each_part_is_in_the_table_and_under_the_pointer() -> None:
    chart = render([Value("Monday", 3, 2)], lambda number: f"{number} apples")
    assert chart.spots[0].words == "Monday: 3 apples (before: 2 apples)"
    (row,) = chart.rows
    assert (row.name, row.number, row.before) == ("Monday", "3 apples", "2 apples")


@pytest.mark.parametrize(
    ("micros", "said"),
    [(0, "$0"), (500_000, "$0.50"), (25_000_000, "$25"), (1_200_000_000, "$1.2k")],
)
def test_amounts_are_short_beside_a_scale(micros: int, said: str) -> None:
    assert short_money(micros) == said
    assert short_money(-micros) == (f"-{said}" if micros else said)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.44, "0.4 s"), (12.3, "12 s"), (200, "3 min 20 s"), (7_500, "2 h 5 min")],
)
def test_how_long_something_took_is_said_in_two_units_at_most(seconds: float, said: str) -> None:
    assert lasted(seconds) == said
