"""The product from sign-up to answer in containers that have no privilege, as Docker makes them."""

import re
import threading
from collections.abc import Generator
from typing import cast

import httpx2
import pytest
import sqlalchemy as sa

import telegram_bot
from embedded.stack import Stack
from models.schema.jobs import Job
from models.schema.workers import Worker
from tests.containers.conftest import Town
from tests.containers.runc import Container
from tests.house import House, Person, wait_for

BOOT_SECONDS = 240
# It needs to know which channels there are.
MESSAGING = ("messaging",) if hasattr(telegram_bot, "channels_of") else ()
pytestmark = [
    pytest.mark.engine,
    pytest.mark.timeout(600),
    pytest.mark.xdist_group("containers"),
]


@pytest.fixture(scope="module")
def house(town: Town) -> Generator[House]:
    """Everything started, in the order of compose.yaml, with a spare to give."""
    migrate = town.start("migrate")
    assert migrate.wait() == 0, migrate.said
    town.start("web")
    wait_for(lambda: _answers(town), "the website")
    for name in ("clock", "worker", *MESSAGING):
        town.start(name)
    house = House(cast(Stack, town))
    wait_for(house.is_ready, "a cell", BOOT_SECONDS)
    yield house
    house.close()


@pytest.fixture(scope="module")
def worker(town: Town, house: House) -> Container:
    assert house
    return town.containers["worker"]


def _answers(town: Town) -> bool:
    try:
        return httpx2.get(f"{town.url}/healthz").status_code == 200
    except httpx2.HTTPError:
        return False


def test_two_people_are_answered_side_by_side(house: House) -> None:
    ada, eve = house.person("Ada"), house.person("Eve")
    for person in (ada, eve):
        assert person.ask_and_wait("Hello!").answer
        house.wait_for_spares()
    with house.database() as db:
        rows = db.scalars(sa.select(Worker).where(Worker.stopped_at.is_(None))).all()
    assert [row.sandbox for row in rows] == ["own root, own uid, no network"]
    assert [row.hot for row in rows] == [2]

    _at_once(ada, eve)

    for person in (ada, eve):
        person.assert_books_balance()


def _at_once(*people: Person) -> None:
    asking = [threading.Thread(target=person.ask_and_wait, args=("And now?",)) for person in people]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    for person in people:
        assert person.outcome(person.newest_job()).answer


def test_from_inside_of_a_cell_nothing_can_be_reached(worker: Container) -> None:
    """As the probe attacks it, in the container that the cells of this worker live in."""
    done = worker.run("python", "-m", "agent.cells.probe")

    assert done.returncode == 0, done.stdout + done.stderr
    assert "own root, own uid, no network: holds" in done.stdout
    assert "SANDBOX=jail: own root, own uid, no network" in done.stdout
    # What a container of this kind does not allow, and what a worker would fall back from.
    assert re.search(r"namespaces, own uid \(\S+/bwrap\): cannot be had here", done.stdout)


def test_nothing_but_what_has_to_can_be_written(town: Town, house: House) -> None:
    assert house
    for name, container in town.containers.items():
        if container.is_alive:
            said = container.run("python", "-c", "open('/app/written', 'w')").stderr
            assert "Read-only file system" in said, name
            assert container.run("python", "-c", "open('/tmp/written', 'w')").returncode == 0


def test_all_but_the_worker_are_nobody(town: Town, house: House) -> None:
    assert house
    for name in ("web", "clock", *MESSAGING):
        status = town.containers[name].run("cat", "/proc/1/status").stdout
        assert "Uid:\t10001\t10001\t10001\t10001" in status
        assert "CapEff:\t0000000000000000" in status
        assert "Seccomp:\t2" in status


def test_a_worker_that_may_not_have_a_jail_has_no_cells(town: Town, house: House) -> None:
    assert house
    bare = town.start("worker", as_well=" without a right", SANDBOX="bwrap")

    wait_for(lambda: "sandbox.none" in bare.said, "a word on why there are no cells")

    assert bare.stop() == 0, bare.said


def test_everything_ends_in_order_and_in_time(town: Town, worker: Container, house: House) -> None:
    """Last: nothing runs afterwards."""
    late = house.person("Late")
    job = late.ask("Still there?")
    wait_for(lambda: _has_begun(house, job), "the answer to begin")
    assert worker.stop() == 0, worker.said[-2000:]
    assert late.outcome(job).answer
    for name in (*MESSAGING, "clock", "web"):
        assert town.containers[name].stop() == 0, town.containers[name].said[-2000:]


def _has_begun(house: House, job: Job) -> bool:
    with house.database() as db:
        return db.get_one(Job, job.id).attempt > 0
