"""What a messenger's message costs, against the website's form and page, in the same run.

The webhook's answer at a steady rate against that of the form; then the time from a message to the
first visible word of its answer, in the messenger and in the browser, for a user whose cell is hot.
"""

import argparse
import itertools
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa

from bench.first_token import Measured, further_message
from embedded.stack import Stack
from models.channels import links
from models.schema.channels import ChannelUpdate
from tests.drill.phones import Phones
from tests.house import SETTINGS, House, Person, wait_for

WEBHOOK_LIMIT = 1.5
WORD_LIMIT = 1.3
PER_SECOND = 50
SECONDS = 6.0
# They wait, so that no answer of theirs takes part in what is measured.
WRITERS = 25
TURNS = 8
THINKING_SECONDS = 1.5
WORDS = "How are you today? [[demo: words 5]]"
CHANNEL = "telegram"
SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"


@dataclass(frozen=True)
class Linked:
    """Somebody with a browser and a phone."""

    person: Person
    phone_id: int


def main(arguments: list[str]) -> int:
    """Measure, and print; return 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench channels")
    parser.add_argument("--turns", type=int, default=TURNS)
    turns = parser.parse_args(arguments).turns
    os.environ.update(DEMO_MODEL_SCRIPTABLE="1")  # noqa: TID251  # as for a stack of tests
    many = {"MAX_WAITING_JOBS_PER_USER": "1000", "REQUESTS_AT_ONCE_PER_NETWORK": "1000"}
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as folder,
        Stack(Path(folder) / "data", settings={**SETTINGS, **many}) as stack,
    ):
        house = House(stack)
        wait_for(house.is_ready, "the product to be ready", seconds=240)
        phones = Phones.of(house.environment)
        one = _link(house, phones, "Bench")
        browser, messenger = _first_words(phones, one, turns)
        form, webhook = _doors(house, phones)
        house.close()
    return _report(form, webhook, browser, messenger)


def _link(house: House, phones: Phones, name: str) -> Linked:
    person, phone_id = house.person(name), phones.join(name)
    with house.database() as db, db.begin():
        code = links.make_for_user(db, person.id, CHANNEL)
    phones.say(phone_id, f"/start {code}")
    wait_for(lambda: _heard(phones, phone_id, "Connected"), "the link")
    return Linked(person, phone_id)


def _heard(phones: Phones, phone_id: int, words: str = "", after: int = 0) -> bool:
    """Tell whether the bot has said something, with these words, after a message."""
    return any(
        one["is_from_bot"] and one["message_id"] > after and words in one["message"].get("text", "")
        for one in phones.journal(phone_id)["messages"]
    )


def _first_words(phones: Phones, one: Linked, turns: int) -> tuple[Measured, Measured]:
    """Ask in turns, on the phone and in the browser, so that both have the same cell."""
    in_messenger: list[float] = []
    in_browser: list[float] = []
    # The first takes a spare.
    _by_phone(phones, one)
    for _ in range(turns):
        in_messenger.append(_by_phone(phones, one))
        conversation = one.person.newest_job().conversation_id
        in_browser.append(further_message(one.person, conversation))
        time.sleep(THINKING_SECONDS)
    return (
        Measured("browser, to the first word", in_browser),
        Measured("messenger, to the first word", in_messenger),
    )


def _by_phone(phones: Phones, one: Linked) -> float:
    began = time.perf_counter()
    sent = phones.say(one.phone_id, WORDS)["message_id"]
    while not _heard(phones, one.phone_id, after=sent):
        time.sleep(0.02)
    took = time.perf_counter() - began
    one.person.outcome(one.person.newest_job())
    time.sleep(THINKING_SECONDS)
    return took


def _doors(house: House, phones: Phones) -> tuple[Measured, Measured]:
    """Send forms and webhooks at the same rate, one kind after the other, by many users."""
    writers = [_link(house, phones, f"Writer{number}") for number in range(WRITERS)]
    # What they send is to wait, not to be answered.
    house.stack.supervisor.child("worker").stop(threading.Event())
    tokens = [writer.person.token() for writer in writers]
    forms = [
        (lambda writer=writer, token=token: _form(writer.person, token))
        for writer, token in zip(writers, tokens, strict=True)
    ]
    secret = house.environment["TELEGRAM_WEBHOOK_SECRET"]
    with house.database() as db:
        newest = db.scalar(sa.select(sa.func.max(ChannelUpdate.number))) or 0
    # Without a gap, as a messenger hands them in.
    numbers = itertools.count(newest + 1)
    calls = [(lambda writer=writer: _call(secret, next(numbers), writer)) for writer in writers]
    form = Measured("form, p99", [_p99(_at_rate(forms)) for _ in range(3)])
    return form, Measured("webhook, p99", [_p99(_at_rate(calls)) for _ in range(3)])


def _form(person: Person, token: str) -> None:
    answer = person.browser.post(
        "/chat", data={"csrf_token": token, "text": "Later."}, follow_redirects=False
    )
    assert answer.status_code == 303, answer.text[:200]


def _call(secret: str, number: int, writer: Linked) -> None:
    sender = {"id": writer.phone_id, "is_bot": False, "first_name": "Writer"}
    message = {
        "message_id": number,
        "date": int(time.time()),
        "chat": {"id": writer.phone_id, "type": "private", "first_name": "Writer"},
        "from": sender,
        "text": "Later.",
    }
    body = json.dumps({"update_id": number, "message": message})
    headers = {SECRET_HEADER: secret, "Content-Type": "application/json"}
    # On the same connections as the forms: what is compared is the website.
    answer = writer.person.browser.post(f"/channels/{CHANNEL}", content=body, headers=headers)
    assert answer.status_code == 200, answer.text[:200]


def _at_rate(asks: list[Callable[[], None]]) -> list[float]:
    """Ask PER_SECOND times a second, whatever the answers take; return how long each took."""
    took: list[float] = []
    threads: list[threading.Thread] = []
    began = time.perf_counter()
    for at in range(int(PER_SECOND * SECONDS)):
        time.sleep(max(0.0, began + at / PER_SECOND - time.perf_counter()))
        thread = threading.Thread(target=_timed, args=(asks[at % len(asks)], took))
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join()
    return took


def _timed(ask: Callable[[], None], took: list[float]) -> None:
    began = time.perf_counter()
    ask()
    took.append(time.perf_counter() - began)


def _p99(took: list[float]) -> float:
    return statistics.quantiles(took, n=100)[98]


def _report(form: Measured, webhook: Measured, browser: Measured, messenger: Measured) -> int:
    for measured in (form, webhook, browser, messenger):
        print(measured)
    doors, words = webhook.median / form.median, messenger.median / browser.median
    print(
        f"\nwebhook / form, p99 at {PER_SECOND} a second: {doors:.2f} x  (target: {WEBHOOK_LIMIT})"
    )
    print(f"messenger / browser, to the first word: {words:.2f} x  (target: {WORD_LIMIT})")
    return 0 if doors <= WEBHOOK_LIMIT and words <= WORD_LIMIT else 1
