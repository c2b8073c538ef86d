"""What can be made to go wrong with calls, and the journal that tells what really happened."""

from collections import Counter
from typing import Any

import httpx2
import pytest

from tests.embedded.fake_telegram.served import HTTP, Person, ServedTelegram


def texts(person: Person) -> list[str]:
    return [one["text"] for one in person.messages()[1:]]


@pytest.mark.parametrize(
    ("fault", "status", "took_effect"),
    [
        ("fail_before", 500, False),
        ("fail_after", 500, True),
        ("cut_before", None, False),
        ("cut_after", None, True),
        ("flood", 429, False),
    ],
)
def test_a_call_goes_wrong_before_or_after_it_took_effect(
    telegram: ServedTelegram, ada: Person, fault: str, status: int | None, took_effect: bool
) -> None:
    telegram.spoil_next("sendMessage", fault)
    if status is None:
        with pytest.raises(httpx2.TransportError):
            telegram.call("sendMessage", chat_id=ada.id, text="First")
    else:
        answer = telegram.call("sendMessage", chat_id=ada.id, text="First")
        assert (answer.status_code, answer.json()["error_code"]) == (status, status)
    assert texts(ada) == ["First"] * took_effect
    telegram.call("sendMessage", chat_id=ada.id, text="Second")
    assert texts(ada) == [*["First"] * took_effect, "Second"]
    calls = telegram.journal(ada.id)["calls"]
    assert [(one["fault"], one["took_effect"]) for one in calls] == [
        (fault, took_effect),
        ("none", True),
    ]


def test_a_flood_says_how_long_to_wait(telegram: ServedTelegram, ada: Person) -> None:
    telegram.switch(flood=1, flood_seconds=3)
    answer = telegram.call("sendChatAction", chat_id=ada.id, action="typing").json()
    assert answer["parameters"] == {"retry_after": 3}
    assert answer["description"] == "Too Many Requests: retry after 3"
    # A bot can still start.
    assert telegram.call("getMe").json()["ok"]


def test_shares_are_kept_and_the_same_seed_does_the_same(
    telegram: ServedTelegram, ada: Person
) -> None:
    def spoilt() -> list[str]:
        telegram.switch(fail_before=0.2, flood=0.2, seed=11, methods=["sendChatAction"])
        for _ in range(60):
            telegram.call("sendChatAction", chat_id=ada.id, action="typing")
        return [one["fault"] for one in telegram.journal(ada.id)["calls"]][-60:]

    first = spoilt()
    counts = Counter(first)
    assert spoilt() == first
    assert set(counts) == {"none", "fail_before", "flood"}
    assert 25 <= counts["none"] <= 47
    assert telegram.call("sendMessage", chat_id=ada.id, text="x").status_code == 200


def test_answers_can_be_late(telegram: ServedTelegram, ada: Person) -> None:
    telegram.switch(delay_seconds=0.3)
    answer = telegram.call("sendMessage", chat_id=ada.id, text="x")
    assert answer.elapsed.total_seconds() >= 0.3


def test_the_journal_has_each_message_with_all_that_it_said(
    telegram: ServedTelegram, ada: Person
) -> None:
    eve = telegram.eve()
    eve.start()
    said = ada.say("Wehn?")
    ada.edit(said["message_id"], "When?")
    sent = telegram.call("sendMessage", chat_id=ada.id, text="Soo").json()["result"]
    place = {"chat_id": ada.id, "message_id": sent["message_id"]}
    keyboard = {"inline_keyboard": [[{"text": "a", "callback_data": "a"}]]}
    telegram.call("editMessageText", **place, text="Soon", reply_markup=keyboard)
    telegram.call("deleteMessage", **place)
    journal = telegram.journal(ada.id)
    shown: list[dict[str, Any]] = journal["messages"]
    versions = [[version["text"] for version in one["versions"]] for one in shown]
    assert versions == [["/start"], ["Wehn?", "When?"], ["Soo", "Soon"]]
    assert [one["is_from_bot"] for one in shown] == [False, False, True]
    assert shown[2]["versions"][1]["reply_markup"] == keyboard
    assert [one["deleted_at"] is None for one in shown] == [True, True, False]
    assert [one["of"] for one in journal["updates"]] == ["message", "message", "edited_message"]
    assert [one["method"] for one in journal["calls"]] == [
        "sendmessage",
        "editmessagetext",
        "deletemessage",
    ]
    assert journal["calls"][1]["message_ids"] == [sent["message_id"]]
    everybody = telegram.journal()
    assert {one["chat_id"] for one in everybody["messages"]} == {ada.id, eve.id}


def test_forgetting_leaves_only_those_who_are_always_there(
    telegram: ServedTelegram, ada: Person
) -> None:
    telegram.person("Mallory")
    telegram.switch(fail_before=1)
    telegram.reset()
    people = HTTP.get(f"{telegram.page}/people").json()
    assert [one["first_name"] for one in people] == ["Ada", "Eve"]
    assert ada.id not in {one["id"] for one in people}
    nothing: dict[str, list[Any]] = {"messages": [], "updates": [], "calls": [], "answers": []}
    assert telegram.journal(ada.id) == nothing
    assert telegram.call("sendMessage", chat_id=ada.id, text="x").status_code == 400


def test_switches_that_are_none_are_refused(telegram: ServedTelegram) -> None:
    for path, body in (("faults", {"burn": 1}), ("limits", {"burn": 1})):
        assert HTTP.put(f"{telegram.page}/control/{path}", json=body).status_code == 400
