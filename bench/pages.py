"""Requests a second of the chat page with 50 messages, against a bare Flask hello.

Both under the same gunicorn settings in the same run, in turns. The page is that of many people,
each logged in with a session of their own, and no browser has it already.
"""

import argparse
import statistics
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from bench.load import a_process, rate
from bench.site import Served, Site, Visitor
from models.base import new_id, utc_now
from models.schema.chat import Conversation, Message, Role
from models.schema.jobs import Job, JobStatus
from models.schema.ledger import EntryKind, Transaction
from settings import PROJECT_DIR
from untrusted.inside import markdown

RATIO_LIMIT = 0.5
MESSAGES = 50
PEOPLE = 40
OTHER_CONVERSATIONS = 9
CONNECTIONS = 16
ROUNDS = 5
SECONDS = 2.0
ASKED = "What should I do in the garden this week, if it stays as dry as it was?"
ANSWER = """Three things, in this order:

1. **Water** the tomatoes in the evening, about five litres each.
2. Tie up the beans.
3. Sow lamb's lettuce where the peas were.

It stays dry until Friday, so look at the roses too; they suffer first. The note that you asked me
to keep says that you gave them compost in March, which is enough for this year.
"""


@dataclass(frozen=True)
class Compared:
    what: str
    per_second: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.per_second)

    def __str__(self) -> str:
        low, high = min(self.per_second), max(self.per_second)
        return f"{self.what:<42} {self.median:7.0f} a second  ({low:.0f} to {high:.0f})"


def main(arguments: list[str]) -> int:
    """Measure, and print; return 1 when the target is missed."""
    parser = argparse.ArgumentParser(prog="bench pages")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = parser.parse_args(arguments).rounds
    with Site.for_one_run(PROJECT_DIR / ".test-data") as site:
        people = site.visitors(PEOPLE)
        for person in people:
            _talk(site, person)
        with (
            site.serves("bench.hello:app") as plain,
            site.serves() as product,
            a_process() as other,
        ):
            hello, page, known = _compare(other, plain, product, people, rounds)
    for one in (hello, page, known):
        print(one)
    ratio = page.median / hello.median
    print(f"\nchat page of {MESSAGES} messages / bare hello: {ratio:.2f} x", end="")
    print(f"  (target: at least {RATIO_LIMIT} x)")
    print(f"the same, not changed since it was seen (304): {known.median / hello.median:.2f} x")
    return 0 if ratio >= RATIO_LIMIT else 1


def _compare(
    other: ProcessPoolExecutor, plain: Served, product: Served, people: list[Visitor], rounds: int
) -> tuple[Compared, Compared, Compared]:
    hello, page, known = (
        Compared("bare Flask hello", []),
        Compared(f"chat page of {MESSAGES} messages", []),
        Compared("chat page that the browser has (304)", []),
    )
    pages = [person.request(f"/chat/{person.conversation_id}") for person in people]
    kept = [_again(product, person) for person in people]
    for _ in range(rounds):
        for served, asked, found in (
            (plain, [people[0].request("/")], hello),
            (product, pages, page),
            (product, kept, known),
        ):
            done = other.submit(rate, served.port, asked, CONNECTIONS, SECONDS)
            found.per_second.append(done.result())
    return hello, page, known


def _again(product: Served, person: Visitor) -> bytes:
    """The request of a browser that has the page, and asks whether it is still so."""
    path = f"/chat/{person.conversation_id}"
    cookies = {"session": person.cookie}
    seen = httpx2.get(f"http://127.0.0.1:{product.port}{path}", cookies=cookies)
    assert seen.text.count('class="asked"') == MESSAGES // 2, "it is another page"
    return person.request(path, If_None_Match=seen.headers["ETag"])


def _talk(site: Site, person: Visitor) -> None:
    """Write a conversation that is over, and further ones for the list beside it."""
    of = {"user_id": person.id, "conversation_id": person.conversation_id}
    asked = [new_id() for _ in range(MESSAGES // 2)]
    jobs = [new_id() for _ in asked]
    questions = [
        {"id": one, **of, "job_id": None, "role": Role.USER, "text": ASKED, "html": ""}
        for one in asked
    ]
    html = markdown.render(ANSWER)
    answers = [
        {"id": new_id(), **of, "job_id": job, "role": Role.ASSISTANT, "text": ANSWER, "html": html}
        for job in jobs
    ]
    site.insert(Message, questions)
    site.insert(Job, [_over(one, message, of) for one, message in zip(jobs, asked, strict=True)])
    site.insert(Message, answers)
    site.insert(Transaction, [_charge(job, person.id) for job in jobs])
    others = [
        {"user_id": person.id, "title": f"Another talk {number}"}
        for number in range(OTHER_CONVERSATIONS)
    ]
    site.insert(Conversation, others)


def _over(job_id: UUID, message_id: UUID, of: dict[str, UUID]) -> dict[str, Any]:
    return {
        "id": job_id,
        **of,
        "message_id": message_id,
        "model": "demo/demo",
        "status": JobStatus.COMPLETED,
        "is_head": False,
        "attempt": 1,
        "started_at": utc_now(),
        "finished_at": utc_now(),
    }


def _charge(job_id: UUID, user_id: UUID) -> dict[str, Any]:
    return {
        "user_id": user_id,
        "kind": EntryKind.CHARGE,
        "amount_micros": -4200,
        "reference": f"call:{job_id}",
        "job_id": job_id,
    }
