"""How many cells boot at once."""

import asyncio
from pathlib import Path

import pytest

from agent.cells.boot import scheduler
from agent.cells.boot.scheduler import BootCounts, BootScheduler


def test_one_boots_at_a_time_and_more_while_somebody_waits() -> None:
    async def scenario() -> None:
        some, over = BootScheduler(at_once=2), asyncio.Event()

        async def boot() -> None:
            await over.wait()

        assert some.may_begin(is_hurried=False)
        some.begin(boot())
        assert not some.may_begin(is_hurried=False)
        assert some.may_begin(is_hurried=True)
        some.begin(boot())
        assert not some.may_begin(is_hurried=True)
        assert len(some) == 2

        over.set()
        await asyncio.wait(asyncio.all_tasks() - {asyncio.current_task()})
        assert len(some) == 0
        assert some.may_begin(is_hurried=False)

    asyncio.run(scenario())


def test_a_boot_gives_way_to_first_words_unless_somebody_waits() -> None:
    some = BootScheduler(at_once=1)

    some.hold_off(60)

    assert not some.may_begin(is_hurried=False)
    assert some.may_begin(is_hurried=True)


def test_after_one_that_failed_there_is_a_pause() -> None:
    some = BootScheduler(at_once=1)

    assert some.failed(is_hurried=True) > 0

    assert not some.may_begin(is_hurried=True)
    some.worked(1.0)
    assert some.may_begin(is_hurried=True)


def test_the_end_ends_those_that_are_on() -> None:
    async def scenario() -> None:
        some = BootScheduler(at_once=1)
        some.begin(asyncio.sleep(3600))

        await some.end()
        await asyncio.sleep(0)

        assert len(some) == 0

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("quota", "expected"), [("max 100000", 4), ("400000 100000", 2), ("50000 100000", 1), ("?", 4)]
)
def test_as_many_as_the_processors_allow(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str, expected: int
) -> None:
    (tmp_path / "cpu.max").write_text(quota)
    monkeypatch.setattr(scheduler, "QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr("os.sched_getaffinity", _eight)

    assert scheduler.at_once() == expected


def test_the_older_control_groups_are_read_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(scheduler, "QUOTA", tmp_path / "none")
    for name, value in (("QUOTA_V1", 600_000), ("PERIOD_V1", 100_000)):
        (tmp_path / name).write_text(f"{value}\n")
        monkeypatch.setattr(scheduler, name, tmp_path / name)
    monkeypatch.setattr("os.sched_getaffinity", _eight)

    assert scheduler.at_once() == 3
    (tmp_path / "QUOTA_V1").write_text("-1\n")
    assert scheduler.at_once() == 4


def _eight(_: int) -> set[int]:
    return set(range(8))


def test_it_counts_how_boots_went_and_knows_how_long_the_last_took() -> None:
    some = BootScheduler(at_once=1)
    assert some.counts == BootCounts(worked=0, failed=0, last_ms=None)

    some.worked(12.5)
    some.failed(is_hurried=False)
    some.worked(9.25)

    assert some.counts == BootCounts(worked=2, failed=1, last_ms=9250)
