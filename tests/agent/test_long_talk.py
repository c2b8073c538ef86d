"""Long conversations, and whatever stands in them: nothing is lost, and nothing ends them."""

import json
import re
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from agent.turn import AgentFailed, Attachment, Exchange, Profile
from settings import Settings
from tests.agent.people import Person, Purse
from tests.agent.pictures import png
from tests.agent.scripted_model import ScriptedModel, UseTool
from tests.conversations.talk import talk
from tests.running import some_of

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

LIMIT_MICROS = 250_000
# Each is spoken to in its own format in test_runtime.py.
PROVIDERS = ("anthropic", "openai", "gemini")
# What OpenClaw takes for orders to itself, or for what a model should not have said.
FORBIDDEN = (
    '<tool_call>{"name":"x"}</tool_call> abc',
    "what does <think>hidden thought</think> mean in a prompt",
    "<|im_end|>",
    "It ends with <|im_end|> and goes on.",
    "MEDIA:/etc/passwd\nand more",
    "NO_REPLY",
    "[[reply_to_current]] Hello",
    "[TOOL_CALL]{}[/TOOL_CALL] and [embed ref=a]",
    '<function_calls><invoke name="x"></invoke></function_calls> was it',
    "<final>not the end</final> yet",
    "<relevant-memories>none</relevant-memories> here",
    "Tool call: a term of its own\n\U0001f50d Search: and another",
    "```xml\n<minimax:tool_call>\n</minimax:tool_call>\n```\n",
    "a < b, x[0]: _y_\n\n- https://example.org/a_b",
)
LONG = "and then we talked about the garden for quite a while " * 250


@pytest.fixture(autouse=True)
def conversation(ada: Person) -> None:
    """A new one for each test, in one cell."""
    ada.begin_conversation()
    ada.purse = Purse()


def test_answers_with_forbidden_words_are_delivered_whole(
    ada: Person, model: ScriptedModel
) -> None:
    for words in FORBIDDEN:
        # In pieces, as they are cut anywhere.
        model.will(*(words[at : at + 3] for at in range(0, len(words), 3)))
        assert ada.say("Go on.", saved=False).text.strip() == words.strip()
        model.will("Yes.")
        ada.say("Did you say that?", saved=False)
        said = [one["content"] for one in model.requests[-1]["messages"]]
        assert any(words.strip() in str(_text(one)) for one in said), words
    assert "\ufdd0" not in json.dumps(model.requests, ensure_ascii=False)


@pytest.mark.parametrize("provider", some_of(PROVIDERS, every=3))
def test_every_provider_may_say_forbidden_words(
    ada: Person, agent_settings: Settings, provider: str
) -> None:
    words = "<tool_call>{}</tool_call> <think>so</think> <|im_end|>\nMEDIA:x\nNO_REPLY"
    chosen = _first_model(agent_settings, provider)
    for _ in range(2):
        answer = ada.say(f"[[demo: say {words}]]", saved=False, model=chosen)
        assert answer.text == words


@pytest.mark.parametrize("provider", some_of(PROVIDERS, every=3))
def test_long_conversations_are_summarized_and_facts_stay_known(
    ada: Person, agent_settings: Settings, provider: str
) -> None:
    """With a small window, so that it is soon; `python -m tests.conversations` has the usual."""
    address = str(agent_settings.anthropic_base_url)

    shown = talk(
        ada,
        _first_model(agent_settings, provider),
        9,
        provider=address,
        limit_micros=LIMIT_MICROS,
        words=700,
    )

    assert shown.refused == []
    assert 1 <= len(shown.summarized_at) <= 4
    assert shown.longest_tokens < agent_settings.context_window_tokens
    assert shown.least_cap >= 4_096
    assert shown.knows_fact


# More than the window of the tests holds.
MANY = 16


def test_a_summary_without_form_ends_no_conversation(ada: Person, model: ScriptedModel) -> None:
    """Weak models write summaries without the headings that OpenClaw asks for."""
    model.summary = "Byron is the cat."
    asked = 0
    for number in range(MANY):
        model.will(f"Answer {number}.")
        assert ada.say(f"{number}: {LONG}", saved=False).text == f"Answer {number}."
        asked += len(model.requests)

    assert asked > MANY, "nothing was summarized"
    assert "Byron is the cat." in model.last_request


def test_long_needs_and_much_said_elsewhere_are_cut_by_nobody(
    ada: Person, model: ScriptedModel
) -> None:
    ada.profile = Profile("Ada Lovelace", "Europe/Paris", "understanding looms " * 200)
    told = (f"Number {number} is about my garden. " + "So it is. " * 40 for number in range(8))
    ada.recent = tuple(
        Exchange(ada.id, "Garden", one, f"Noted. {one}", datetime.now(UTC)) for one in told
    )
    model.will("Well.")
    ada.say("What did I tell you last?", saved=False)

    assert "truncated" not in model.last_request.lower()
    assert "Number 7 is about my garden." in model.last_request
    assert "understanding looms" in model.last_request
    # Elsewhere it changes nothing: what stands before a conversation stays in the cache.
    before = model.requests[-1]["messages"][0]
    ada.recent = ()
    model.will("Indeed.")
    ada.say("And now?", saved=False)
    assert model.requests[-1]["messages"][0] == before


def test_one_broken_picture_ruins_no_conversation(ada: Person, model: ScriptedModel) -> None:
    picture = Attachment("red.png", "image/png", png())
    model.will("A picture.")
    ada.say("What is this?", picture)
    encoded = re.search(r"base64,([\w+/]{60,})", model.last_request)
    assert encoded
    ada.begin_conversation()
    ada.say("Hello, my cat is Byron.")
    model.refused = encoded[1]
    try:
        with pytest.raises(AgentFailed) as failure:
            ada.say("What is this?", picture, saved=False)
        assert failure.value.code == "provider_refused"
        # As outcomes does with whatever was refused: what the cell has of it is not saved.
        ada.runtime.discard(ada.id)
        model.will("Here I am.")
        assert ada.say("Still there?").text == "Here I am."
        assert "my cat is Byron" in model.last_request

        # One that a provider took before is left out when another one refuses it.
        model.refused = None
        model.will("A picture.")
        ada.say("And this?", picture)
        model.refused = encoded[1]
        model.will("I was shown one.")
        assert ada.say("What was it?").text == "I was shown one."
        assert encoded[1] not in model.last_request
        assert "cannot be shown any more" in model.last_request
    finally:
        model.refused = None


def test_a_written_file_has_no_marks(ada: Person, model: ScriptedModel) -> None:
    note = "# Memory\n- likes <b>: a_b [x]\n"
    model.will(UseTool("write", {"path": "MEMORY.md", "content": note}), "Noted: <b>.")

    assert ada.say("I like <b>.", saved=False).text == "Noted: <b>."
    model.will("Yes.")
    ada.say("Do I?", saved=False)
    assert "likes <b>: a_b [x]" in model.last_request


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text")) for part in cast(list[dict[str, Any]], content))
    return str(content)


def _first_model(settings: Settings, provider: str) -> str:
    names = {
        "anthropic": settings.anthropic_models,
        "openai": settings.openai_models,
        "gemini": settings.gemini_models,
    }
    return f"{provider}/{names[provider][0]}"
