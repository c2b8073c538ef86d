"""With the real OpenClaw: models think a little, which is shown meanwhile, and is no answer."""

from functools import reduce
from operator import getitem
from typing import Any

import pytest

from agent.turn import AgentFailed
from settings import Settings
from tests.agent.people import Person, TurnListener
from tests.agent.test_prompt import chosen, recorded

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

# Where each is told how much to think.
EFFORT = {
    "anthropic": ("output_config", "effort"),
    "openai": ("reasoning", "effort"),
    "gemini": ("generationConfig", "thinkingConfig", "thinkingLevel"),
}
COMPANIES = tuple(EFFORT)
THOUGHT = "[[demo: think Weighing it up. ]]"


def _effort(body: dict[str, Any], provider: str) -> str:
    return str(reduce(getitem, EFFORT[provider], body)).lower()


@pytest.mark.parametrize("provider", COMPANIES)
def test_thoughts_are_shown_and_stay_out_of_the_answer(
    ada: Person, agent_settings: Settings, provider: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Between tools they go back to who thought them, as they were."""
    name, listener = chosen(agent_settings, provider), TurnListener()
    ada.begin_conversation()
    recorded(agent_settings)
    script = f'{THOUGHT}[[demo: tool ls {{"path": "."}}]] [[demo: say Done.]]'

    answer = ada.say(script, listener=listener, saved=False, model=name)

    assert answer.text == listener.said == "Done."
    assert listener.thoughts[0] == "Weighing it up."
    bodies = recorded(agent_settings)
    assert len(bodies) == 2
    assert [_effort(body, provider) for body in bodies] == ["low", "low"]
    assert ada.say("[[demo: say And again.]]", saved=False, model=name).text == "And again."
    assert "meter." not in "".join(capsys.readouterr())


@pytest.mark.parametrize("provider", COMPANIES)
def test_thoughts_alone_fail_the_turn_at_once(
    ada: Person, agent_settings: Settings, provider: str
) -> None:
    ada.begin_conversation()
    recorded(agent_settings)

    with pytest.raises(AgentFailed) as failure:
        ada.say(f"{THOUGHT}[[demo: say ]]", saved=False, model=chosen(agent_settings, provider))

    assert (failure.value.code, failure.value.permanent) == ("no_answer", False)
    assert len(recorded(agent_settings)) == 1


def test_a_refusal_is_an_answer(ada: Person, agent_settings: Settings) -> None:
    """OpenAI has a field of its own for it."""
    ada.begin_conversation()
    name = chosen(agent_settings, "openai")
    script = "[[demo: refuse I will not help with that.]]"

    assert ada.say(script, saved=False, model=name).text == "I will not help with that."


def test_more_thought_is_asked_for_by_the_message(ada: Person, agent_settings: Settings) -> None:
    ada.begin_conversation()
    recorded(agent_settings)
    name = chosen(agent_settings, "anthropic")
    turn = ada.turn("[[demo: say Done.]]", model=name, thinks_longer=True)

    ada.runtime.run(turn, TurnListener(), ada.purse, ada.stop)

    [body] = recorded(agent_settings)
    assert body["output_config"] == {"effort": "high"}
