"""The product's loop with up to 12 real worker processes, which have no OpenClaw.

A stand-in for ECS starts and stops them. Time is short: turns take two seconds, a wave one minute.
"""

import os
import tempfile
import threading
import time
from pathlib import Path

from bench.margin import connect
from embedded.stack import Services
from models.database import unit_of_work
from models.schema.users import User
from tests import factories
from tests.embedded.fake_ecs.served import ServedEcs
from tests.house import wait_for
from tests.tasks.scaling.small import Ends, ends, send_all, small, unfinished

MOST = 12
PEOPLE = 150
TURN_SECONDS, CALM_SECONDS, WAVE_SECONDS = 2.0, 15.0, 60.0
BEFORE, WAVE = 0.6, 6.0
MOST_WAIT = 5.0


def main() -> int:
    """Play a calm, a ten-fold wave in which a worker dies, and a calm; return 1 if anything broke.

    What must hold: never more than 12, no turn ended by scaling in, nobody waits for long, and in
    the end there is one worker again.
    """
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Services(Path(folder) / "data", is_kept=False) as services,
    ):
        chosen = {"PASSWORD_MEMORY_KIB": "64", "VERIFY_EMAIL": "false"}
        os.environ.update(services.environment() | chosen)  # noqa: TID251
        engine = connect()
        with unit_of_work() as db:
            people = [factories.user(db, f"p{number}@example.org") for number in range(PEOPLE)]
        own = {"CELLS_PER_WORKER": "2", "MOST_WORKERS": str(MOST), "SCALING_CALM_SECONDS": "6"}
        with small(os.environ, **own) as ecs:  # noqa: TID251
            course = _play(ecs, people)
            told = ecs.told()
        done = ends()
        engine.dispose()
    return _report(done, course, told)


def _play(ecs: ServedEcs, people: list[User]) -> list[int]:
    course, over = list[int](), threading.Event()

    def _watch() -> None:
        while not over.wait(1):
            course.append(len(ecs.tasks()))

    watching = threading.Thread(target=_watch, daemon=True)
    watching.start()
    send_all(people, BEFORE, CALM_SECONDS, mean=TURN_SECONDS).join()
    wave = send_all(people, WAVE, WAVE_SECONDS, mean=TURN_SECONDS)
    time.sleep(WAVE_SECONDS / 2)
    ecs.kill(ecs.tasks()[0]["id"])
    wave.join()
    send_all(people, BEFORE, CALM_SECONDS, mean=TURN_SECONDS).join()
    wait_for(lambda: unfinished() == 0, "all answers", seconds=60)
    wait_for(lambda: len(ecs.told()["tasks"]) == 1, "one worker in the end", seconds=90)
    over.set()
    watching.join()
    return course


def _report(done: Ends, course: list[int], told: dict[str, int]) -> int:
    waits = sorted(done.waits)
    p50, p95 = waits[len(waits) // 2], waits[int(0.95 * len(waits))]
    # The worker that was killed had two cells.
    is_whole = set(done.statuses) == {"completed"} and done.second_attempts <= 2
    is_met = is_whole and p95 <= MOST_WAIT and told["most_at_once"] <= MOST and told["died"] == 1
    print("workers by the second:", *course)
    print(f"{len(waits)} messages: {dict(done.statuses)}, begun twice {done.second_attempts}")
    print(f"waits: half {p50:.2f} s, 95 % {p95:.2f} s (at most {MOST_WAIT:g})")
    print(
        f"workers: most {told['most_at_once']} of {MOST}, started {told['started']},"
        f" died {told['died']}, {told['task_seconds'] / 60:.1f} worker-minutes"
    )
    return 0 if is_met else 1
