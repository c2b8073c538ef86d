"""A synthetic month: who sends what to which model, and what becomes of it."""

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from pydantic import SecretStr

from agent import catalogue
from agent.catalogue import Model
from agent.meter.call_ledger import ClosedCall, NoRoom, Outcome, Usage
from agent.prices import Prices
from models import jobs, ledger
from models.base import new_id
from models.chat import conversations
from models.database import unit_of_work
from models.jobs import FinishedAnswer
from models.ledger import limits
from models.ledger.limits import Limits
from models.people import users
from models.schema.failure_codes import FailureCode
from settings import get_settings
from tasks.worker.call_ledger import TurnCallLedger

WORKER = new_id()
LEASE = timedelta(minutes=5)
# How messages end, of a thousand.
ENDS = {"are answered": 967, "are stopped": 20, "fail": 5, "are begun again": 5, "break off": 3}
OUTCOMES: dict[str, Outcome] = {"are stopped": "stopped", "break off": "cut"}
# A person who runs dry has a dollar; most can pay for their month.
CREDITS_MICROS = (0, 20_000_000, 50_000_000)
# The output that is held for beyond what comes.
SPARE_TOKENS = 500
# So rarely does a provider count more than was held for.
MISCOUNTED = 1 / 200


class Month:
    """People, each with a model and credits, and what happens to their messages."""

    def __init__(self, chance: random.Random, people: int) -> None:
        key = SecretStr("a-provider-key")
        # Every model that has a price; none is asked anything.
        settings = get_settings().model_copy(
            update={"anthropic_api_key": key, "openai_api_key": key, "gemini_api_key": key}
        )
        self._chance = chance
        self._prices = Prices(settings)
        models = catalogue.models(settings)
        self._people = [(self._sign_up(), models[one % len(models)]) for one in range(people)]

    def live(self, messages: int) -> Counter[str]:
        """Let so many messages be sent; count how they ended."""
        ends: Counter[str] = Counter()
        for _ in range(messages):
            person, model = self._chance.choice(self._people)
            [end] = self._chance.choices(list(ENDS), list(ENDS.values()))
            ends[self._send(person, model, end)] += 1
        return ends

    def _sign_up(self) -> UUID:
        with unit_of_work() as db:
            name = f"{new_id()}@example.org"
            person = users.sign_up(db, name, "correct horse battery")
            credit = self._chance.choice(CREDITS_MICROS)
            if credit:
                ledger.grant(db, person.id, credit, reference=f"bench:{person.id}")
            limits.choose(db, person.id, Limits(get_settings().turn_max_cost_micros))
            return person.id

    def _send(self, person: UUID, model: Model, end: str) -> str:
        books = _ask(person, model)
        if books is None:
            return "are refused for want of credit"
        if end == "are begun again" and self._call(books, model, "completed"):
            books = _begin_again(books)
        outcome = OUTCOMES.get(end, "completed")
        calls = self._chance.choice((1, 1, 1, 2, 3))
        if not all(self._call(books, model, outcome) for _ in range(calls)):
            end = "run dry"
        _close(books, end)
        return end

    def _call(self, books: TurnCallLedger, model: Model, outcome: Outcome) -> bool:
        """Make one call as the meter does; False if it cannot be paid for."""
        used = self._usage()
        read = used.input_tokens + used.cache_read_tokens + used.cache_write_tokens
        most = self._prices.worst_case(model, read, used.output_tokens + SPARE_TOKENS)
        try:
            call = books.open(new_id(), model.id, lambda _: most)
        except NoRoom:
            return False
        if self._chance.random() < MISCOUNTED:
            used = replace(used, output_tokens=2 * used.output_tokens + SPARE_TOKENS)
        price = self._prices.price(model, used)
        closed = ClosedCall(
            call_id=call.call_id,
            model=model.id,
            usage=used,
            is_estimated=outcome != "completed",
            provider_cost_micros=price.provider_cost_micros,
            charge_micros=price.charge_micros,
            price_version=price.version,
            outcome=outcome,
            provider_request_id=None,
            detail=None,
        )
        books.close(closed)
        return True

    def _usage(self) -> Usage:
        said = self._chance.randint(200, 6_000)
        is_warm = self._chance.random() < 0.7
        return Usage(
            input_tokens=self._chance.randint(20, 2_000),
            output_tokens=self._chance.randint(20, 1_200),
            cache_read_tokens=13_000 + said if is_warm else 0,
            cache_write_tokens=said if is_warm else 13_000 + said,
        )


def _ask(person: UUID, model: Model) -> TurnCallLedger | None:
    try:
        with unit_of_work() as db:
            conversation = conversations.start(db, person)
            jobs.ask(db, conversation, "Hello?", model=model.id)
            [claim] = jobs.claim_many(db, WORKER, LEASE, 1, only=[person])
    except ledger.OutOfCredit:
        return None
    return TurnCallLedger(person, claim.job_id, claim.attempt)


def _begin_again(books: TurnCallLedger) -> TurnCallLedger:
    """Give up a try whose worker fell silent, and take the job once more."""
    with unit_of_work() as db:
        job = jobs.lock_lease(db, books.job_id, books.attempt)
        ledger.absorb_abandoned(db, job.id, job.attempt)
        jobs.requeue(db, job, wait=timedelta(0))
    with unit_of_work() as db:
        [claim] = jobs.claim_many(db, WORKER, LEASE, 1, only=[books.user_id])
    return TurnCallLedger(books.user_id, claim.job_id, claim.attempt)


def _close(books: TurnCallLedger, end: str) -> None:
    with unit_of_work() as db:
        job = jobs.lock_lease(db, books.job_id, books.attempt)
        if end in ("fail", "break off"):
            jobs.fail(db, job, FailureCode.PROVIDER_DOWN)
        elif end == "run dry":
            jobs.fail(db, job, FailureCode.NO_CREDIT, answer="A part")
        elif end == "are stopped":
            jobs.stop(db, job, answer="A part")
        else:
            done = FinishedAnswer(job.id, job.user_id, job.attempt, "Hello!", "<p>Hello!</p>")
            jobs.complete_many(db, [done], WORKER, timedelta(0))
