"""One reader of Valkey for everyone who looks."""

import threading
import time
from collections.abc import Callable, Generator
from typing import Any, cast

import pytest
import redis

from gateways.event_streams import Event, Streams
from gateways.live_events import JobQueued, TextAdded
from models.base import new_id
from webapp.core.live import DEAF, RESYNC, Hub, Listener

SOON = 5.0


@pytest.fixture
def hub(redis_url: str) -> Generator[Hub]:
    hub = Hub(Streams(redis_url))
    yield hub
    hub.close()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + SOON
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def told(listener: Listener) -> str:
    heard = listener.next(SOON)
    assert isinstance(heard, Event)
    assert isinstance(heard.payload, TextAdded)
    return heard.payload.text


def listeners_in_valkey(hub: Hub, channel: str) -> int:
    client = cast(Any, hub.streams.client)
    return int(client.pubsub_numsub(channel)[0][1])


def cut_readers(hub: Hub) -> None:
    """Cut the connections that listen, of this test's own Redis number."""
    client = cast(Any, hub.streams.client)
    number = client.connection_pool.connection_kwargs["db"]
    for one in client.client_list():
        if int(one["sub"]) and int(one["db"]) == number:
            client.client_kill_filter(_id=one["id"])


def fail(_thread: threading.Thread) -> None:
    raise RuntimeError


def test_it_works(hub: Hub) -> None:
    conversation, job = new_id(), new_id()
    with hub.listening(conversation) as listener:
        assert listener.next(SOON) is RESYNC
        hub.streams.append(new_id(), job, 1, TextAdded(0, "elsewhere"))
        hub.streams.append(conversation, job, 1, TextAdded(0, "here"))
        assert told(listener) == "here"
        assert listener.next(0.01) is None


def test_everyone_who_looks_hears_it_over_one_connection(hub: Hub) -> None:
    conversation = new_id()
    channel = hub.streams.channel(conversation)
    with hub.listening(conversation) as phone, hub.listening(conversation) as laptop:
        assert phone.next(SOON) is RESYNC
        assert laptop.next(SOON) is RESYNC
        assert listeners_in_valkey(hub, channel) == 1
        hub.streams.append(conversation, new_id(), 1, TextAdded(0, "both"))
        assert told(phone) == told(laptop) == "both"
    wait_until(lambda: listeners_in_valkey(hub, channel) == 0)


def test_who_comes_later_hears_too(hub: Hub) -> None:
    conversation = new_id()
    with hub.listening(conversation) as first:
        assert first.next(SOON) is RESYNC
        with hub.listening(conversation) as second:
            assert second.next(SOON) is RESYNC
        with hub.listening(new_id()) as elsewhere:
            assert elsewhere.next(SOON) is RESYNC
        hub.streams.append(conversation, new_id(), 1, TextAdded(0, "still"))
        assert told(first) == "still"


def test_what_is_told_after_the_sign_is_never_missed(hub: Hub) -> None:
    for _ in range(50):
        conversation = new_id()
        with hub.listening(conversation) as listener:
            assert listener.next(SOON) is RESYNC
            hub.streams.append(conversation, new_id(), 1, TextAdded(0, "at once"))
            assert told(listener) == "at once"


def test_who_reads_too_slowly_is_dropped_and_holds_nobody_up(redis_url: str) -> None:
    hub = Hub(Streams(redis_url), queue_length=4)
    conversation = new_id()
    with hub.listening(conversation) as quick, hub.listening(conversation) as slow:
        assert quick.next(SOON) is RESYNC
        wait_until(lambda: slow.is_synced)
        for number in range(8):
            hub.streams.append(conversation, new_id(), 1, TextAdded(0, str(number)))
            assert told(quick) == str(number)
        assert slow.is_dropped
        assert not quick.is_dropped
    hub.close()


def test_after_a_lost_connection_everyone_is_told_to_look_again(hub: Hub) -> None:
    conversation = new_id()
    with hub.listening(conversation) as listener:
        assert listener.next(SOON) is RESYNC
        cut_readers(hub)
        wait_until(lambda: listener.next(0.1) is RESYNC)
        hub.streams.append(conversation, new_id(), 1, TextAdded(0, "back"))
        assert told(listener) == "back"


def test_while_valkey_is_away_whoever_listens_knows(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_connection: object) -> None:
        raise ConnectionRefusedError

    with hub.listening(new_id()) as listener:
        assert listener.next(SOON) is RESYNC
        with monkeypatch.context() as away:
            away.setattr(redis.Connection, "_connect", refuse)
            cut_readers(hub)
            cast(Any, hub.streams.client).connection_pool.disconnect()
            assert listener.next(30) is DEAF
            assert not listener.is_synced
        wait_until(lambda: listener.next(0.1) is RESYNC)
        assert listener.is_synced


def test_an_emptied_valkey_cuts_nobody_off(hub: Hub) -> None:
    conversation, job = new_id(), new_id()
    with hub.listening(conversation) as listener:
        assert listener.next(SOON) is RESYNC
        hub.streams.append(conversation, job, 1, TextAdded(0, "before"))
        assert told(listener) == "before"
        cast(Any, hub.streams.client).flushdb()
        hub.streams.append(conversation, job, 1, TextAdded(0, "after"))
        assert told(listener) == "after"
        assert [event.payload for event in hub.told(job)] == [TextAdded(0, "after")]


def test_without_valkey_nobody_waits_and_nothing_breaks() -> None:
    hub = Hub(Streams("redis://127.0.0.1:1/0"))
    with hub.listening(new_id()) as listener:
        assert listener.next(0.05) is None
    hub.announce(new_id(), new_id(), JobQueued())
    assert hub.told(new_id()) == []
    hub.close()


def test_a_reader_that_could_not_be_started_is_tried_again(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    conversation = new_id()
    with monkeypatch.context() as full:
        full.setattr(threading.Thread, "start", fail)
        with pytest.raises(RuntimeError), hub.listening(conversation):
            pass
    with hub.listening(conversation) as listener:
        assert listener.next(SOON) is RESYNC


def test_a_reader_that_could_not_be_started_ends_too(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading.Thread, "start", fail)
    with pytest.raises(RuntimeError), hub.listening(new_id()):
        pass
    hub.close()


def test_who_listens_when_it_ends_is_let_go(redis_url: str) -> None:
    hub = Hub(Streams(redis_url))
    with hub.listening(new_id()) as listener:
        assert listener.next(SOON) is RESYNC
        hub.close()
        began = time.monotonic()
        assert listener.next(SOON) is None
        assert time.monotonic() - began < SOON / 2
        assert listener.is_dropped
    with hub.listening(new_id()) as late:
        assert late.is_dropped
