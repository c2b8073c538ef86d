"""Every call is held for before it goes out, and closed once, whatever becomes of it."""

import asyncio
from pathlib import Path
from uuid import UUID

import pytest

from agent import catalogue
from agent.meter import settlement
from agent.meter.call_ledger import (
    BooksUnavailable,
    Bound,
    ClosedCall,
    OpenCall,
    SizeHold,
    TurnLost,
    Usage,
)
from agent.prices import Price, Prices
from agent.turn import TurnFailure
from tests.agent.meter.world import (
    DOLLAR,
    MODELS,
    PROVIDERS,
    MemoryBooks,
    World,
    eventually,
    run,
    turn,
    world,
)

CAPS = {
    "anthropic": "max_tokens",
    "openai": "max_output_tokens",
    "gemini": "maxOutputTokens",
    "compatible": "max_completion_tokens",
    "demo": "max_completion_tokens",
}


def test_the_worst_case_is_held_before_the_provider_is_asked(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            text = "[[demo: hold]] [[demo: say yes]]"
            asking = asyncio.create_task(w.ask(text))
            await w.reached()
            assert len(w.books.opened) == 1
            assert w.books.closed == []
            held = w.books.opened[0].held_micros

            await w.release()
            await asking
            [closed] = await w.settled()
            assert [type(one) for one in w.books.told] == [OpenCall, ClosedCall]
            assert w.books.opened[0].call_id == closed.call_id
            assert 0 < closed.charge_micros < held
            assert w.books.balance == DOLLAR - closed.charge_micros

    run(scenario())


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_output_cap_is_lowered_to_what_can_be_paid(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            w.books.balance = _price_of(w, input_tokens=100, output_tokens=1_400)
            assert (await w.ask("Hello", cap=100_000))[0] == 200
            [recorded] = await w.recorded()
            body = recorded["body"]
            cap: int = body.get("generationConfig", body)[CAPS[name]]
            assert 1_024 <= cap < 1_500
            assert w.books.opened[0].held_micros <= DOLLAR
            assert w.books.balance >= 0

    run(scenario())


def test_no_cap_is_given_beyond_the_models_own(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            await w.ask("Hello", cap=1_000_000)
            [recorded] = await w.recorded()
            model = catalogue.find(w.settings, MODELS["anthropic"])
            assert model
            assert recorded["body"]["max_tokens"] == model.max_output_tokens

    run(scenario())


def test_thinking_is_left_out_when_its_budget_is_not_below_the_cap(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            for budget in (400, 500):
                thinking = {"type": "enabled", "budget_tokens": budget}
                async with w.post({**w.request("Hello"), "thinking": thinking}) as response:
                    await response.read()
            with_room, without = await w.recorded()
            assert with_room["body"]["thinking"]["budget_tokens"] == 400
            assert "thinking" not in without["body"]

    run(scenario())


@pytest.mark.parametrize("name", PROVIDERS)
def test_without_credit_the_call_is_refused_by_422_and_never_402(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            w.books.balance = _price_of(w, input_tokens=30, output_tokens=200)
            status, raw = await w.ask("Hello")
            assert status == 422
            assert TurnFailure.NO_CREDIT in raw.decode()
            trouble = w.port.trouble
            assert trouble
            assert (trouble.code, trouble.permanent) == ("no_credit", True)
            assert await w.recorded() == []
            assert w.books.told == []

    run(scenario())


def test_credit_that_went_in_between_is_missed_at_the_hold(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.may_open.clear()
            asking = asyncio.create_task(w.ask("Hello"))
            await eventually(w.books.opening.is_set)
            w.books.balance = 0
            w.books.may_open.set()
            assert (await asking)[0] == 422
            assert w.port.trouble
            assert w.port.trouble.code == "no_credit"
            assert w.books.told == []
            assert await w.recorded() == []

    run(scenario())


def test_a_short_answer_is_served_with_little_credit_when_no_more_was_asked(
    tmp_path: Path,
) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.balance = _price_of(w, input_tokens=80, output_tokens=50)
            assert (await w.ask("[[demo: say ok]]", cap=50))[0] == 200

    run(scenario())


@pytest.mark.parametrize("name", PROVIDERS)
def test_the_output_cap_is_lowered_to_the_limit_of_the_message(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            w.books.limit = _price_of(w, input_tokens=100, output_tokens=1_400)
            assert (await w.ask("Hello", cap=100_000))[0] == 200
            [recorded] = await w.recorded()
            body = recorded["body"]
            assert 1_024 <= body.get("generationConfig", body)[CAPS[name]] < 1_600
            assert w.port.trouble is None

    run(scenario())


def test_a_call_beyond_the_limit_of_the_message_is_refused(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.limit = _price_of(w, input_tokens=30, output_tokens=200)
            status, raw = await w.ask("Hello")
            assert status == 422
            assert TurnFailure.MESSAGE_LIMIT in raw.decode()
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("message_limit", True)
            assert w.books.told == []

    run(scenario())


def test_an_answer_that_ends_at_its_lowered_cap_is_no_whole_one(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.limit = _price_of(w, input_tokens=100, output_tokens=1_400)
            full = "[[demo: say a]] [[demo: usage input=10 output=1600]]"
            assert (await w.ask(full, cap=100_000))[0] == 200
            await w.settled()
            assert w.port.cut_short
            assert w.port.cut_short.code == "message_limit"
            assert (await w.ask("[[demo: say b]]"))[0] == 422
            await w.port.end()
            assert w.port.cut_short
            w.port.begin(turn(MODELS["anthropic"]), w.books)
            assert w.port.cut_short is None

    run(scenario())


def test_a_lowered_cap_counts_too_when_the_cell_hangs_up_at_the_end(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.limit = _price_of(w, input_tokens=100, output_tokens=1_400)
            full = "[[demo: say a]] [[demo: usage input=10 output=1600]] [[demo: linger]]"
            async with w.post(w.request(full, cap=100_000)) as response:
                await response.content.readuntil(b"message_stop")
                await w.port.end()
            [closed] = w.books.closed
            assert closed.outcome == "completed"
            assert w.port.cut_short
            assert w.port.cut_short.code == "message_limit"

    run(scenario())


def test_an_answer_that_ends_before_its_lowered_cap_is_whole(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.books.limit = _price_of(w, input_tokens=100, output_tokens=1_400)
            brief = "[[demo: say a]] [[demo: usage input=10 output=20]]"
            assert (await w.ask(brief, cap=100_000))[0] == 200
            await w.settled()
            assert w.port.cut_short is None
            long = "[[demo: say a]] [[demo: usage input=10 output=50]]"
            w.books.limit = DOLLAR
            assert (await w.ask(long, cap=50))[0] == 200
            assert w.port.cut_short is None

    run(scenario())


def test_a_turn_may_make_so_many_calls_and_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, turn_max_calls=2) as w:
            assert [(await w.ask("[[demo: say a]]"))[0] for _ in range(2)] == [200, 200]
            status, raw = await w.ask("[[demo: say a]]")
            assert status == 422
            assert TurnFailure.TOO_MANY_CALLS in raw.decode()
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("too_many_calls", True)
            assert len(await w.recorded()) == 2

    run(scenario())


def test_a_turn_may_cost_so_much_and_no_more(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, turn_max_cost_micros=20_000) as w:
            # It costs us 10,000, and so 16,667 with the margin.
            dear = "[[demo: say a]] [[demo: usage input=0 output=1000]]"
            assert (await w.ask(dear, cap=1_000))[0] == 200
            [first] = await w.settled()
            assert first.charge_micros == 16_667
            status, raw = await w.ask(dear, cap=1_000)
            assert status == 422
            assert TurnFailure.TOO_COSTLY in raw.decode()
            assert w.port.trouble
            assert w.port.trouble.code == "too_costly"

    run(scenario())


def test_what_is_held_for_calls_side_by_side_counts_towards_the_turns_limit(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, turn_max_cost_micros=20_000) as w:
            one = asyncio.create_task(w.ask("[[demo: hold]] [[demo: say a]]", cap=1_000))
            await eventually(lambda: len(w.books.opened) == 1)
            assert (await w.ask("[[demo: say b]]", cap=1_000))[0] == 422
            await w.reached()
            await w.release()
            assert (await one)[0] == 200

    run(scenario())


def test_a_model_without_a_price_is_refused_and_not_served_free(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path, "compatible", price_overrides={}) as w:
            status, _ = await w.ask("Hello")
            assert status == 422
            assert w.port.trouble
            assert w.port.trouble.code is TurnFailure.MODEL_UNPRICED
            assert w.port.trouble.permanent
            assert await w.recorded() == []
            assert w.books.told == []

    run(scenario())


def test_a_database_that_restarts_loses_no_charge(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            # Some three seconds of it.
            w.books.failures = 10
            assert (await w.ask("[[demo: say a]]"))[0] == 200
            [closed] = await w.settled()
            assert closed.outcome == "completed"
            assert w.books.held == {}

    run(scenario())


class Stumbling(MemoryBooks):
    """Books that raise something so many times before they work."""

    def __init__(self, trouble: Exception, times: int) -> None:
        super().__init__()
        self._trouble, self._times = trouble, times

    def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
        if self._times:
            self._times -= 1
            raise self._trouble
        return super().open(call_id, model, fit)


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (BooksUnavailable("the database is away"), TurnFailure.BOOKS_UNAVAILABLE),
        (TurnLost(), TurnFailure.LEASE_LOST),
    ],
)
def test_books_that_cannot_open_let_no_call_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trouble: Exception, code: TurnFailure
) -> None:
    monkeypatch.setattr(settlement, "HOLD_SECONDS", 0)

    async def scenario() -> None:
        async with world(tmp_path) as w:
            w.port.begin(turn(MODELS["anthropic"]), Stumbling(trouble, times=9))
            assert (await w.ask("Hello"))[0] == 422
            assert await w.recorded() == []
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == (code, False)

    run(scenario())


def test_nothing_is_priced_while_the_account_is_locked_if_there_is_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_locked, priced_then = False, 0
    real = Prices.price

    def _price(prices: Prices, model: catalogue.Model, used: Usage) -> Price:
        nonlocal priced_then
        priced_then += is_locked
        return real(prices, model, used)

    class Locking(MemoryBooks):
        def bounds(self) -> list[Bound]:
            nonlocal is_locked
            # From now on, until the hold is made.
            is_locked = True
            return super().bounds()

        def open(self, call_id: UUID, model: str, fit: SizeHold) -> OpenCall:
            nonlocal is_locked
            opened = super().open(call_id, model, fit)
            is_locked = False
            return opened

    async def scenario() -> None:
        async with world(tmp_path) as w:
            books = Locking(balance=100 * DOLLAR, limit=100 * DOLLAR)
            w.port.begin(turn(MODELS["anthropic"]), books)
            monkeypatch.setattr(Prices, "price", _price)
            assert (await w.ask("[[demo: say ok]]"))[0] == 200
            assert len(books.opened) == 1

    run(scenario())
    assert priced_then == 0


def test_a_fault_of_our_own_ends_the_turn_at_once_and_is_called_that(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            books = Stumbling(KeyError("a mistake"), times=1)
            w.port.begin(turn(MODELS["anthropic"]), books)
            assert (await w.ask("Hello"))[0] == 500
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == (
                TurnFailure.UNEXPECTED,
                False,
            )
            # However often OpenClaw asks.
            assert (await w.ask("Hello"))[0] == 422
            assert await w.recorded() == []

    run(scenario())


def test_a_database_that_stumbles_is_asked_again(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with world(tmp_path) as w:
            books = Stumbling(BooksUnavailable("the database restarts"), times=2)
            w.port.begin(turn(MODELS["anthropic"]), books)
            assert (await w.ask("[[demo: say ok]]"))[0] == 200
            await eventually(lambda: len(books.closed) == 1)
            assert w.port.trouble is None

    run(scenario())


@pytest.mark.parametrize("name", PROVIDERS)
def test_no_further_call_is_made_after_one_beyond_its_hold(tmp_path: Path, name: str) -> None:
    async def scenario() -> None:
        async with world(tmp_path, name) as w:
            w.books.balance = 100 * DOLLAR
            dear = "[[demo: say ok]] [[demo: usage input=900000 output=300]]"
            assert (await w.ask(dear))[0] == 200
            [closed] = await w.settled()
            assert closed.charge_micros > w.books.opened[0].held_micros

            status, raw = await w.ask("[[demo: say and again]]")
            assert status == 422
            assert TurnFailure.BEYOND_HOLD in raw.decode()
            assert w.port.trouble
            assert (w.port.trouble.code, w.port.trouble.permanent) == ("beyond_hold", True)
            assert len(await w.recorded()) == len(w.books.opened) == 1

    run(scenario())


def _price_of(w: World, *, input_tokens: int, output_tokens: int) -> int:
    model = catalogue.find(w.settings, MODELS[w.name])
    assert model
    prices = Prices(w.settings)
    is_for_hour = prices.has_hour(model)
    return prices.worst_case(model, input_tokens, output_tokens, is_for_hour=is_for_hour)
