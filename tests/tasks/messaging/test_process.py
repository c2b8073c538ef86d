"""A messaging process on its own connections: woken, in threads, ended in the middle, and again."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from actions.announcements import StreamPublisher
from actions.channels import receiving
from channels import registry
from channels.base import ChannelFailed, Trouble
from channels.inbound import CommandGiven, MessageArrived, Sender, Update
from models.channels import accounts, updates
from models.database import open_session, unit_of_work
from models.schema.channels import ChannelUpdate, Delivery, UpdateStatus
from models.schema.chat import Message, Role
from models.schema.users import User
from tasks.messaging import receiving as handling
from tasks.messaging.process import MessagingProcess
from tests import factories
from tests.channels.pigeon import Pigeon
from tests.house import wait_for

USERS = 6


@contextmanager
def working(pigeon: Pigeon) -> Generator[None]:
    over = threading.Event()
    process = MessagingProcess({pigeon.name: pigeon})
    thread = threading.Thread(target=process.run, args=(over,))
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join(timeout=60)
    assert not thread.is_alive()


def sender(number: int) -> Sender:
    return Sender(account_id=f"bird-{number}", address=f"bird-{number}")


def receive(pigeon: Pigeon, number: int, inbound: MessageArrived | CommandGiven) -> None:
    update = Update(external_id=f"u{number}", number=number, inbound=inbound)
    with open_session() as db:
        receiving.receive(db, pigeon, [update], StreamPublisher())
        db.commit()


def holds(wanted: Callable[[Session], bool]) -> Callable[[], bool]:
    def _asked() -> bool:
        with unit_of_work() as db:
            return wanted(db)

    return _asked


@pytest.fixture
def pigeons(emptied: Engine, redis_url: str) -> Generator[Pigeon]:
    assert emptied
    assert redis_url
    pigeon = Pigeon()
    registry.install([pigeon])
    with unit_of_work() as db:
        for number in range(USERS):
            person: User = factories.user(db, f"bird{number}@example.org")
            accounts.link(db, person.id, "pigeon", f"bird-{number}", f"bird-{number}", "")
    yield pigeon
    registry.install([])


def message(number: int, *, of: int = 0) -> MessageArrived:
    return MessageArrived(sender=sender(of), message_id=f"m{number}", text=f"{number}")


def said() -> list[str]:
    with unit_of_work() as db:
        wanted = sa.select(Message.text).where(Message.role == Role.USER).order_by(Message.id)
        return list(db.scalars(wanted))


def nothing_waits(db: Session) -> bool:
    waiting = sa.select(sa.func.count()).where(Delivery.status == "waiting")
    return not db.scalar(waiting)


def test_commands_are_answered_at_once_in_the_order_of_each_chat(pigeons: Pigeon) -> None:
    with working(pigeons):
        for round_ in range(3):
            for number in range(USERS):
                command = CommandGiven(
                    sender=sender(number),
                    message_id=f"m{round_}",
                    name=("help", "usage", "limits")[round_],
                )
                receive(pigeons, round_ * USERS + number + 1, command)
        wait_for(holds(nothing_waits), "every notice to be sent")
    for number in range(USERS):
        heard = [text.partition(" ")[0] for text in pigeons.texts(f"bird-{number}") if text]
        firsts = [word for word in heard if word in ("Write,", "You", "-")]
        assert firsts == sorted(firsts, key=["Write,", "You", "-"].index)
        assert {"Write,", "You", "-"} <= set(heard)


def test_shuffled_and_repeated_updates_become_each_message_once_in_order(
    pigeons: Pigeon,
) -> None:
    order = [1, 3, 2, 2, 5, 4, 6, 5, 3]
    with working(pigeons):
        for number in order:
            receive(pigeons, number, message(number))
        wait_for(
            holds(lambda db: db.scalar(sa.select(sa.func.count(Message.id))) == 6),
            "all messages to be there",
        )
    assert said() == ["1", "2", "3", "4", "5", "6"]


def test_nobody_waits_for_an_account_that_is_being_handled(pigeons: Pigeon) -> None:
    with unit_of_work() as busy:
        updates.lock_account(busy, "pigeon", sender(0).account_id)
        # Each of these would wait for ever.
        receive(pigeons, 1, message(1))
        with unit_of_work() as db:
            (claimed,) = updates.claim(db, ["pigeon"], handling.LEASE, most=5)
        handling.handle(claimed, pigeons)
    assert said() == []
    with working(pigeons):
        wait_for(lambda: said() == ["1"], "the message")


def test_in_a_burst_one_is_handled_and_the_others_are_written_down(
    pigeons: Pigeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle = receiving.handle

    def _meanwhile(*given: Any) -> None:
        monkeypatch.setattr(receiving, "handle", handle)
        receive(pigeons, 2, message(2, of=1))
        handle(*given)

    monkeypatch.setattr(receiving, "handle", _meanwhile)
    receive(pigeons, 1, message(1))
    assert said() == ["1"]
    receive(pigeons, 3, message(3, of=2))
    assert said() == ["1", "3"]
    with working(pigeons):
        wait_for(lambda: said() == ["1", "3", "2"], "what was left")


def test_what_a_messaging_process_was_faster_with_is_not_handled_again(
    pigeons: Pigeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = updates.try_lock_account

    def _late(*given: Any) -> bool:
        with unit_of_work() as other:
            row = other.scalars(sa.select(ChannelUpdate)).one()
            updates.close(other, [row], UpdateStatus.DONE)
        return lock(*given)

    monkeypatch.setattr(updates, "try_lock_account", _late)
    receive(pigeons, 1, message(1))
    assert said() == []


def test_a_web_process_that_dies_leaves_what_it_has_written_down(
    pigeons: Pigeon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _die(*_: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(updates, "try_lock_account", _die)
        receive(pigeons, 1, message(1))
    with working(pigeons):
        wait_for(lambda: said() == ["1"], "the message")
    receive(pigeons, 2, message(2))
    assert said() == ["1", "2"]


def test_a_process_that_ends_leaves_what_it_has_not_done(pigeons: Pigeon) -> None:
    held = threading.Event()

    def _refuse(what: str) -> None:
        held.set()
        raise ChannelFailed(Trouble.UNREACHABLE)

    pigeons.mischief = _refuse
    with working(pigeons):
        receive(pigeons, 1, CommandGiven(sender=sender(0), message_id="m1", name="new"))
        assert held.wait(30)
    pigeons.mischief = lambda _: None
    with working(pigeons):
        wait_for(holds(nothing_waits), "what was left to be sent")
    assert pigeons.texts("bird-0") == ["A new conversation. What is it about?"]
