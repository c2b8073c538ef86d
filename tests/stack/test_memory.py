"""What the assistant is given to know: from onboarding, from before, after every cell is gone."""

import json

import pytest

from tests.house import House, wait_for

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("house")]


def test_the_answers_of_onboarding_are_in_the_first_request(house: House) -> None:
    house.person("Philippa", needs="My bees and their honey").ask_and_wait("Good morning, first!")

    request = json.dumps(house.asked_with("Good morning, first!")[0]["body"])
    assert "Philippa" in request
    assert "My bees and their honey" in request
    assert "Europe/Berlin" in request


def test_what_was_told_once_is_known_everywhere_and_to_nobody_else(house: House) -> None:
    ada, eve = house.person("Ada"), house.person("Eve")
    told = ada.ask("My boat is called Seagull-7731.")
    assert ada.outcome(told).answer
    ada.wait_until_saved(told)

    assert ada.ask_and_wait("Where were we, second conversation?").answer
    assert "Seagull-7731" in json.dumps(house.asked_with("second conversation")[-1]["body"])

    # Every cell and the worker are destroyed; another worker has an empty disk.
    house.kill("tasks.worker.main")
    house.stack.add_worker()
    wait_for(house.is_ready, "a worker to be ready again")
    again = ada.ask_and_wait("And after the crash, in a third?")
    assert again.answer
    assert "Seagull-7731" in json.dumps(house.asked_with("after the crash")[-1]["body"])

    assert eve.ask_and_wait("What do I know of boats?").answer
    for request in house.asked_with("What do I know of boats?"):
        assert "Seagull-7731" not in json.dumps(request["body"])


@pytest.mark.long
def test_the_same_conversation_goes_on_after_its_cell_is_gone(house: House) -> None:
    ada = house.person("Ada")
    first = ada.ask("The secret number is 5150-alpha.")
    assert ada.outcome(first).answer
    ada.wait_until_saved(first)

    house.kill("openclaw-gateway")
    ada.ask_and_wait("Say it back to me.", first.conversation_id)

    messages = json.dumps(house.asked_with("Say it back to me.")[-1]["body"]["messages"])
    assert "5150-alpha" in messages
