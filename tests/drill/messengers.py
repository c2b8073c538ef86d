"""Drills the messengers: `python -m tests.drill.messengers`, or `make drill ARGS=--messengers`.

People write through the stand-in for Telegram, which delivers every update up to three times and in
another order, and answers a share of calls with 429 or 500, or hangs up before or after they took
effect. Meanwhile web, worker and messaging process are killed. In the end every message must be
there once and in order, and so must every answer; an answer may stand there twice only where the
messenger took a call and failed to say so.
"""

import argparse
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from embedded.stack import Stack
from models.channels import links
from models.schema.channels import ChannelAccount
from models.schema.jobs import Job
from tests.drill.faults import Breaker
from tests.drill.messenger_audit import COMMAND, Findings, Written, audit, mark
from tests.drill.phones import Phones
from tests.drill.plan import Fault, Kind, Stage
from tests.drill.workers import Workers
from tests.house import SETTINGS, House, wait_for

CHANNEL = "telegram"
BURST = 8
SETTLE_SECONDS = 300.0
SHARES = {"flood": 0.04, "fail_before": 0.02, "fail_after": 0.02, "cut_before": 0.01}
SPOILT = {"cut_after": 0.01, "copies": 3, "shuffle_seconds": 1.0, **SHARES}
KILLS = (Kind.WEB, Kind.WORKER, Kind.MESSAGING)
STAGES = (Stage.ANY, Stage.QUEUED, Stage.CLAIMED, Stage.WRITING, Stage.ANSWERED, Stage.SAVED)


@dataclass
class Writer:
    """Somebody who writes a number of messages and commands from their phone, in bursts."""

    written: Written
    plan: list[str]

    def write(self, house: House, phones: Phones, door: threading.Semaphore, until: float) -> None:
        """Write all of it while there is time; after each burst wait until it has been answered."""
        with door:
            for at in range(0, len(self.plan), BURST):
                if time.monotonic() > until:
                    return
                for text in self.plan[at : at + BURST]:
                    phones.say(self.written.phone_id, text)
                    self.written.lines.append(text)
                    time.sleep(0.05)
                self._await(house)

    def _await(self, house: House) -> None:
        ends, count = time.monotonic() + SETTLE_SECONDS, len(self.written.texts)
        while time.monotonic() < ends:
            with suppress(SQLAlchemyError), house.database() as db:
                over = sa.select(sa.func.count()).where(
                    Job.user_id == self.written.user_id, Job.finished_at.is_not(None)
                )
                if (db.scalar(over) or 0) >= count:
                    return
            time.sleep(0.3)


def plan_of(number: int, count: int, share: float) -> list[str]:
    """Word messages whose answers can be told apart, and commands between them."""
    return [
        f"[[demo: say {mark(number, at)} and no more]] message"
        if int((at + 1) * share) > int(at * share)
        else COMMAND
        for at in range(count)
    ]


def run(
    house: House,
    *,
    people: int,
    updates: int,
    share: float,
    minutes: float,
    kills: int,
    pause: float,
    at_once: int,
    seed: int,
) -> Findings:
    """Let people write while things break; return what was found."""
    phones, chance = Phones.of(house.environment), random.Random(seed)
    each = -(-updates // people)
    writers = [
        _join(house, phones, number, plan_of(number, each, share)) for number in range(people)
    ]
    phones.switch(seed=seed, **SPOILT)
    door, over = threading.Semaphore(at_once), threading.Event()
    until = time.monotonic() + minutes * 60
    threads = [
        threading.Thread(target=writer.write, args=(house, phones, door, until))
        for writer in writers
    ]
    breaker = Breaker(house, Workers(house.stack))
    breaking = threading.Thread(target=_break, args=(breaker, chance, kills, pause, over))
    for thread in (*threads, breaking):
        thread.start()
    for thread in threads:
        thread.join()
    over.set()
    breaking.join()
    phones.switch()
    wait_for(lambda: _is_at_rest(house), "everything to be delivered", seconds=SETTLE_SECONDS)
    findings = Findings()
    findings.outcomes.update({f"killed: {kind}": n for kind, n in breaker.done.items()})
    for writer in writers:
        audit(house, phones, writer.written, breaker.moments[Kind.MESSAGING], findings)
    return findings


def _join(house: House, phones: Phones, number: int, plan: list[str]) -> Writer:
    """Sign somebody up and link their phone as they would, by a code."""
    person = house.person(f"Writer{number}")
    phone_id = phones.join(f"Writer{number}")
    with house.database() as db, db.begin():
        code = links.make_for_user(db, person.id, CHANNEL)
    phones.say(phone_id, f"/start {code}")
    wait_for(lambda: _is_linked(house, person.id), f"the link of {number}")
    return Writer(Written(person.id, phone_id, number), plan)


def _is_linked(house: House, user_id: UUID) -> bool:
    with house.database() as db:
        mine = sa.select(ChannelAccount.id).where(ChannelAccount.user_id == user_id)
        return db.scalar(mine) is not None


def _break(
    breaker: Breaker, chance: random.Random, kills: int, pause: float, over: threading.Event
) -> None:
    for _ in range(kills):
        if over.wait(pause * chance.uniform(0.5, 1.5)):
            return
        breaker.break_one(Fault(chance.choice(KILLS), chance.choice(STAGES), 0))


def _is_at_rest(house: House) -> bool:
    restless = sa.text("""
        SELECT 1 FROM jobs WHERE status IN ('pending', 'running')
        UNION ALL SELECT 1 FROM deliveries WHERE status = 'waiting'
        UNION ALL SELECT 1 FROM channel_updates WHERE status = 'waiting' LIMIT 1""")
    with suppress(SQLAlchemyError), house.database() as db:
        return db.execute(restless).first() is None
    return False


def main(arguments: Sequence[str]) -> int:
    """Run one drill and print what was found; return 1 when there was anything."""
    parser = argparse.ArgumentParser(prog="drill --messengers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--updates", type=int, default=2000)
    parser.add_argument(
        "--share", type=float, default=1, help="of the updates, how much are no commands"
    )
    parser.add_argument("--minutes", type=float, default=600, help="then nothing more is written")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--pause", type=float, default=10)
    parser.add_argument("--at-once", type=int, default=5)
    given = parser.parse_args(arguments)
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251
    began = time.monotonic()
    with (
        tempfile.TemporaryDirectory(prefix="drill-") as folder,
        Stack(Path(folder) / "data", settings={**SETTINGS, "CELLS_PER_WORKER": "6"}) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        found = run(house, **vars(given))
        house.close()
    _print(found, time.monotonic() - began, given.seed)
    return 0 if found.is_clean else 1


def _print(found: Findings, seconds: float, seed: int) -> None:
    print(f"\nseed {seed}: {seconds:.0f} s")
    for name, count in sorted(found.outcomes.items()):
        print(f"{name:<50}{count:5}")
    print(f"{'doubled where the messenger hid that it took it':<50}{found.doubled_by_messenger:5}")
    print(f"{'doubled where the sender was killed as it was sent':<50}{found.doubled_by_kills:5}")
    for name, bad in found.bad.items():
        print(f"{name:<50}{len(bad):5}")
        for one in bad[:10]:
            print(f"    {one}")
    print("clean" if found.is_clean else "NOT CLEAN")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
