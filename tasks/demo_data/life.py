"""How a person of the made-up year lives: they write, pay, and sometimes want their money back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from tasks.demo_data.people import Person
from tasks.demo_data.rows import Account, Entry, Rows

GRANT = 1_000_000
SUMS = (10_000_000, 10_000_000, 20_000_000, 50_000_000)
DEFAULT_MODEL = "anthropic/claude-sonnet-5-5"
DEARER = {"anthropic/claude-opus-5-5": 2.2, "openai/gpt-6-luna": 0.45}
MARGIN = 0.4
# One message in so many fails, or is stopped, on a usual day; and during the outage.
FAILS, IS_STOPPED, FAILS_IN_OUTAGE = 0.012, 0.02, 0.75
FAILURES = ("provider_down", "cell_died", "time_limit", "no_answer", "worker_lost", "provider_down")
# Of payments: those that come to nothing, that go back, and that a bank takes back.
COMES_TO_NOTHING, GOES_BACK, IS_DISPUTED = 0.05, 0.02, 0.005
# Of those who write: who links Telegram, and which part of their messages comes from there then.
LINKS, WRITES_THERE = 0.18, 0.6
TALK = 12
QUESTIONS = ("What shall I cook tonight?", "Plan my week, please.", "Shorten this letter for me.")
ANSWER = "Here is a first draft; tell me what to change."
# How many of a day's messages come in each hour where people live.
HOURS = (1, 1, 1, 1, 1, 2, 4, 7, 9, 10, 10, 9, 9, 8, 8, 8, 8, 9, 10, 11, 11, 9, 6, 3)
WORKERS = tuple(f"{number:032x}" for number in range(0x7000_0000, 0x7000_0004))


@dataclass(frozen=True)
class Outage:
    """When the provider was down."""

    begins: datetime
    ends: datetime

    def covers(self, at: datetime) -> bool:
        return self.begins <= at < self.ends


class Life:
    """One person's year, in the order of time."""

    def __init__(self, rows: Rows, chance: Random, person: Person, outage: Outage) -> None:
        self._rows, self._chance, self._outage = rows, chance, outage
        self._person = person
        self._account = Account(rows.new_id(person.came_at))
        self._model = person.model or DEFAULT_MODEL
        self._talk = ""
        self._is_over = self._has_paid = False
        self._last_job: tuple[str, datetime] | None = None
        self._linked_at: datetime | None = None

    def live(self) -> None:
        """Write all of it."""
        account, person = self._account, self._person
        reference = f"sign-up:{account.id}"
        self._rows.entry(account, Entry("grant", GRANT, reference, person.came_at))
        seen_at = person.came_at
        self._link()
        for number, at in enumerate(self._moments()):
            if self._is_over:
                break
            self._message(number, at)
            seen_at = at
        self._rows.person(person, account)
        self._rows.session(account, person, seen_at)
        self._save()

    def _link(self) -> None:
        """Link Telegram within their first weeks, if they do."""
        person, draw = self._person, self._chance
        at = person.came_at + timedelta(days=draw.uniform(0.1, 20))
        if draw.random() < LINKS and person.messages and at < person.leaves_at:
            self._linked_at, outside = at, str(7_000_000_000 + person.number)
            self._rows.add(
                "channel_accounts",
                *(self._rows.new_id(at), self._account.id, "telegram", outside, outside),
                *(person.name, at),
            )

    def _channel(self, at: datetime) -> str:
        is_linked = self._linked_at is not None and at > self._linked_at
        return "telegram" if is_linked and self._chance.random() < WRITES_THERE else "web"

    def _moments(self) -> Iterator[datetime]:
        """Yield when they write, in order; the first time soon after they came."""
        came_at, span = self._person.came_at, self._person.leaves_at - self._person.came_at
        draw = self._chance
        first_day = came_at.replace(hour=0, minute=0, second=0, microsecond=0)
        moments: list[datetime] = []
        for _ in range(self._person.messages - 1):
            day = int(draw.random() * max(span / timedelta(days=1), 1))
            hour = draw.choices(range(24), HOURS)[0]
            at = first_day + timedelta(days=day, hours=hour, seconds=draw.random() * 3600)
            moments.append(
                at if came_at < at < self._person.leaves_at else _within(draw, came_at, span)
            )
        if self._person.messages:
            moments.append(came_at + min(timedelta(minutes=draw.uniform(3, 2000)), span))
        return iter(sorted(moments))

    def _message(self, number: int, at: datetime) -> None:
        price = int(self._chance.lognormvariate(9.2, 0.8) * DEARER.get(self._model, 1.0)) + 1
        if self._account.balance < price:
            self._pay(at - timedelta(minutes=1))
        if self._is_over or self._account.balance < price:
            self._is_over = True
            return
        self._answer(number, at, price)

    def _answer(self, number: int, at: datetime, price: int) -> None:
        draw, new_id = self._chance, self._rows.new_id
        waited = timedelta(seconds=draw.expovariate(0.7) + (20 if self._outage.covers(at) else 0.1))
        began = at + waited
        ended = began + timedelta(seconds=draw.lognormvariate(2.1, 0.7))
        if number % TALK == 0:
            self._begin_talk(at)
        message, job, call = new_id(at), new_id(at), new_id(began)
        status, failure = self._end_of(at)
        self._say(message, "user", draw.choice(QUESTIONS), at, None)
        details = '{"charged_micros": 0, "has_part": false, "stands": false}' if failure else "{}"
        self._rows.add(
            "jobs",
            *(job, self._account.id, self._talk, message, self._model, status, "f", at, 1),
            *(draw.choice(WORKERS), failure, details, at, began, ended),
        )
        self._charge(job, call, price, began, ended, failure)
        if not failure:
            self._say(new_id(ended), "assistant", ANSWER, ended, job)
            self._last_job = (job, ended)

    def _charge(
        self, job: str, call: str, price: int, began: datetime, ended: datetime, failure: str | None
    ) -> None:
        rows, account = self._rows, self._account
        held = price * 4
        rows.add(
            "model_calls",
            *(call, account.id, job, 1, self._model, "completed", held, began, ended),
        )
        before = account.granted
        charge = Entry(
            "charge",
            -price,
            f"call:{_dashed(call)}",
            ended,
            call=call,
            job=job,
            model=self._model,
            tokens=(price // 3, price // 40),
            cost=int(price * (1 - MARGIN)),
        )
        charge_id = rows.entry(account, charge)
        if failure:
            self._give_back(charge, charge_id, before - account.granted, failure)

    def _give_back(self, charge: Entry, charge_id: str, granted: int, failure: str) -> None:
        back = replace(
            charge,
            kind="refund",
            amount=-charge.amount,
            reference=f"refund:{_dashed(charge.call or '')}",
            reverses=charge_id,
            tokens=None,
            cost=None,
            reason="worker_lost" if failure == "worker_lost" else "job_failed",
            carried=charge.cost or 0,
            granted=granted,
        )
        self._rows.entry(self._account, back)

    def _end_of(self, at: datetime) -> tuple[str, str | None]:
        drawn = self._chance.random()
        if drawn < (FAILS_IN_OUTAGE if self._outage.covers(at) else FAILS):
            return "failed", "provider_down" if self._outage.covers(at) else self._failure()
        return ("cancelled" if drawn > 1 - IS_STOPPED else "completed"), None

    def _failure(self) -> str:
        return self._chance.choice(FAILURES)

    def _begin_talk(self, at: datetime) -> None:
        self._talk = self._rows.new_id(at)
        self._rows.add("conversations", self._talk, self._account.id, "A talk", at, at)

    def _say(self, message: str, role: str, words: str, at: datetime, job: str | None) -> None:
        html = f"<p>{words}</p>" if role == "assistant" else ""
        channel = self._channel(at) if role == "user" else "web"
        self._rows.add(
            "messages", message, self._talk, self._account.id, job, role, words, html, channel, at
        )

    def _pay(self, at: datetime) -> None:
        rows, account, draw = self._rows, self._account, self._chance
        if not self._has_paid:
            rows.add("billing_accounts", account.id, f"cus_demo{self._person.number}", at)
        drawn, amount, payment = draw.random(), draw.choice(SUMS), rows.new_id(at)
        usual = (payment, account.id, "checkout")
        if drawn < COMES_TO_NOTHING:
            rows.add(
                "payments",
                *(*usual, "failed", amount, None, 0, 0, f"pi_demo{payment}", "card_declined"),
                *(at, None),
            )
            payment = rows.new_id(at + timedelta(seconds=20))
            usual = (payment, account.id, "checkout")
        self._has_paid = True
        reference = f"payment:{_dashed(payment)}"
        rows.entry(account, Entry("top_up", amount, reference, at + timedelta(seconds=30)))
        back = self._take_back(payment, amount, at) if draw.random() < GOES_BACK else (0, 0)
        rows.add(
            "payments",
            *(*usual, "paid", amount, amount, *back, f"pi_demo{payment}", None),
            *(at, at + timedelta(seconds=30)),
        )
        if draw.random() < IS_DISPUTED and not self._is_over:
            self._dispute(payment, amount, at + timedelta(hours=3))

    def _take_back(self, payment: str, amount: int, at: datetime) -> tuple[int, int]:
        """Give a payment back; return what went back, and what of it was used up."""
        refund, then = f"re_demo{payment}", at + timedelta(minutes=40)
        taken, gone = self._take("payment_refund", f"payment-refund:{refund}", amount, then)
        self._rows.add("payment_refunds", refund, payment, amount, taken, gone, then)
        self._is_over = True
        return amount, gone

    def _dispute(self, payment: str, amount: int, at: datetime) -> None:
        dispute = f"dp_demo{payment}"
        taken, gone = self._take("chargeback", f"dispute:{dispute}", amount + 300_000, at)
        self._rows.add("payment_disputes", dispute, payment, "open", taken, gone, at, None)
        self._account.frozen_at = at
        self._is_over = True

    def _take(self, kind: str, reference: str, amount: int, at: datetime) -> tuple[int, int]:
        account = self._account
        taken = min(amount, account.balance)
        note = "payment_disputed" if kind == "chargeback" else "payment_refunded"
        self._rows.entry(account, Entry(kind, -taken, reference, at, note=note))
        if gone := amount - taken:
            rest = Entry(
                "absorbed",
                0,
                f"absorbed:{reference}",
                at,
                cost=gone,
                reason="credits_gone",
                carried=gone,
            )
            self._rows.entry(account, rest)
        return taken, gone

    def _save(self) -> None:
        if self._last_job:
            job, at = self._last_job
            size = int(self._chance.lognormvariate(15.5, 1.0))
            self._rows.add(
                "state_snapshots",
                *(self._rows.new_id(at), self._account.id, 1, "[]", size, job, at),
            )


def _within(draw: Random, came_at: datetime, span: timedelta) -> datetime:
    return came_at + span * draw.random()


def _dashed(plain: str) -> str:
    """Write an id as it stands in references."""
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:]))
