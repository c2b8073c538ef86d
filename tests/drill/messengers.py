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
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from embedded.stack import Stack
from models.channels import links
from models.schema.channels import ChannelAccount, ChannelUpdate, Delivery
from models.schema.chat import Message, Role
from models.schema.jobs import Job
from tests.drill.faults import Breaker
from tests.drill.phones import Body, Phones
from tests.drill.plan import Fault, Kind, Stage
from tests.house import SETTINGS, House, Person, wait_for

CHANNEL = "telegram"
BURST = 8
SETTLE_SECONDS = 300.0
SHARES = {"flood": 0.04, "fail_before": 0.02, "fail_after": 0.02, "cut_before": 0.01}
SPOILT = {"cut_after": 0.01, "copies": 3, "shuffle_seconds": 1.0, **SHARES}
TAKES_EFFECT = {"fail_after", "cut_after"}
KILLS = (Kind.WEB, Kind.WORKER, Kind.MESSAGING)
STAGES = (Stage.ANY, Stage.QUEUED, Stage.CLAIMED, Stage.WRITING, Stage.ANSWERED, Stage.SAVED)


@dataclass
class Writer:
    """Somebody who writes a number of messages from their phone, in bursts."""

    person: Person
    phone_id: int
    texts: list[str]

    def write(self, house: House, phones: Phones, door: threading.Semaphore) -> None:
        """Write all of them; after each burst wait until it has been answered."""
        with door:
            for at in range(0, len(self.texts), BURST):
                for text in self.texts[at : at + BURST]:
                    phones.say(self.phone_id, text)
                    time.sleep(0.05)
                self._await(house, at + BURST)

    def _await(self, house: House, count: int) -> None:
        ends = time.monotonic() + SETTLE_SECONDS
        while time.monotonic() < ends:
            with suppress(SQLAlchemyError), house.database() as db:
                over = sa.select(sa.func.count()).where(
                    Job.user_id == self.person.id, Job.finished_at.is_not(None)
                )
                if (db.scalar(over) or 0) >= min(count, len(self.texts)):
                    return
            time.sleep(0.3)


@dataclass
class Findings:
    """What must not be, and what may be and is counted."""

    bad: dict[str, list[str]] = field(
        default_factory=lambda: {
            name: []
            for name in (
                *("lost", "said twice", "out of order", "unanswered", "answered twice"),
                *("answers out of order", "not delivered", "updates not handled"),
            )
        }
    )
    doubled_by_messenger: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])

    @property
    def is_clean(self) -> bool:
        return not any(self.bad.values())


def texts_of(number: int, count: int) -> list[str]:
    """Word messages whose answers can be told apart."""
    return [f"[[demo: say {mark(number, at)} and no more]] message" for at in range(count)]


def mark(number: int, at: int) -> str:
    return f"answer-{number}-{at}-end"


def run(
    house: House, *, people: int, updates: int, kills: int, pause: float, at_once: int, seed: int
) -> Findings:
    """Let people write while things break; return what was found."""
    phones, chance = Phones.of(house.environment), random.Random(seed)
    each = -(-updates // people)
    writers = [_join(house, phones, number, each) for number in range(people)]
    phones.switch(seed=seed, **SPOILT)
    door, over = threading.Semaphore(at_once), threading.Event()
    threads = [
        threading.Thread(target=writer.write, args=(house, phones, door)) for writer in writers
    ]
    breaker = Breaker(house, workers=1)
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
    for number, writer in enumerate(writers):
        _audit(house, phones, writer, number, findings)
    return findings


def _join(house: House, phones: Phones, number: int, count: int) -> Writer:
    """Sign somebody up and link their phone as they would, by a code."""
    person = house.person(f"Writer{number}")
    phone_id = phones.join(f"Writer{number}")
    with house.database() as db, db.begin():
        code = links.make_for_user(db, person.id, CHANNEL)
    phones.say(phone_id, f"/start {code}")
    wait_for(lambda: _is_linked(house, person.id), f"the link of {number}")
    return Writer(person, phone_id, texts_of(number, count))


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


def _audit(house: House, phones: Phones, writer: Writer, number: int, found: Findings) -> None:
    with house.database() as db:
        mine = sa.select(Message).where(Message.user_id == writer.person.id).order_by(Message.id)
        said = [one.text for one in db.scalars(mine) if one.role is Role.USER]
        jobs = sa.select(Job.status).where(Job.user_id == writer.person.id)
        found.outcomes.update(map(str, db.scalars(jobs)))
        status = sa.select(Delivery.status, sa.func.count()).group_by(Delivery.status)
        for name, count in db.execute(status.where(Delivery.user_id == writer.person.id)):
            if name != "sent":
                found.bad["not delivered"] += [f"{number}: {name}"] * count
        waiting = sa.select(ChannelUpdate.external_id).where(
            ChannelUpdate.account_id == str(writer.phone_id),
            ChannelUpdate.status.in_(("waiting", "failed")),
        )
        found.bad["updates not handled"] += [f"{number}: {one}" for one in db.scalars(waiting)]
    _audit_messages(writer, number, said, found)
    _audit_answers(phones.journal(writer.phone_id), writer, number, found)


def _audit_messages(writer: Writer, number: int, said: Sequence[str], found: Findings) -> None:
    count = Counter(said)
    found.bad["lost"] += [f"{number}: {text}" for text in writer.texts if not count[text]]
    found.bad["said twice"] += [f"{number}: {text}" for text in writer.texts if count[text] > 1]
    kept = [text for text in said if text in set(writer.texts)]
    if kept != [text for text in writer.texts if count[text]]:
        found.bad["out of order"].append(f"{number}: {kept}")


def _audit_answers(journal: Body, writer: Writer, number: int, found: Findings) -> None:
    shown = [one for one in journal["messages"] if one["is_from_bot"] and not one["deleted_at"]]
    places: list[int] = []
    untold = _untold(journal)
    for at in range(len(writer.texts)):
        wanted = mark(number, at)
        having = [one for one in shown if wanted in one["message"].get("text", "")]
        if not having:
            found.bad["unanswered"].append(f"{number}: {wanted}")
            continue
        places.append(having[-1]["message_id"])
        hidden = sum(one["message_id"] in untold for one in having)
        excused = min(len(having) - 1, hidden)
        found.doubled_by_messenger += excused
        found.bad["answered twice"] += [f"{number}: {wanted}"] * (len(having) - 1 - excused)
    if places != sorted(places):
        found.bad["answers out of order"].append(f"{number}: {places}")


def _untold(journal: Body) -> set[int]:
    """Return the messages of ours that were taken, though their sender was told otherwise."""
    return {
        message_id
        for call in journal["calls"]
        if call["method"].lower() == "sendmessage" and call["fault"] in TAKES_EFFECT
        for message_id in call["message_ids"]
    }


def main(arguments: Sequence[str]) -> int:
    """Run one drill and print what was found; return 1 when there was anything."""
    parser = argparse.ArgumentParser(prog="drill --messengers")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--people", type=int, default=50)
    parser.add_argument("--updates", type=int, default=2000)
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
    for name, bad in found.bad.items():
        print(f"{name:<50}{len(bad):5}")
        for one in bad[:10]:
            print(f"    {one}")
    print("clean" if found.is_clean else "NOT CLEAN")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
