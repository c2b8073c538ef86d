"""What a person and their assistant live through, with a real OpenClaw in a real sandbox."""

import base64
import os
import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from io import BytesIO

import pytest
from pypdf import PdfWriter
from pypdf.generic import DecodedStreamObject, DictionaryObject, NameObject

from agent.runtime import Runtime
from agent.state import saved
from agent.tools.registry import TOOLS
from agent.turn import AgentFailed, Attachment, Exchange, Profile
from gateways.s3_files import Storage
from models.base import new_id
from settings import Settings
from tests.agent.people import Person, Purse, TurnListener
from tests.agent.pictures import png
from tests.agent.scripted_model import Pause, ScriptedModel, Then, UseTool

pytestmark = [pytest.mark.engine, pytest.mark.timeout(420), pytest.mark.xdist_group("cells")]

PATIENCE_SECONDS = 60


def test_the_first_question_to_the_model_knows_the_person(
    ada: Person, model: ScriptedModel
) -> None:
    model.will("Good morning.")

    answer = ada.say("Hello?")

    assert answer.text == "Good morning."
    assert answer.state_version == 0
    prompt = model.requests[0]["messages"][0]["content"]
    assert "Ada Lovelace" in prompt
    assert "Understanding looms and engines" in prompt
    assert "one person's private assistant" in prompt
    assert "[MISSING]" not in prompt
    assert "Europe/Paris] Hello?" in str(model.last_message)
    assert [call.outcome for call in ada.purse.closed] == ["completed"]


def test_words_are_heard_before_the_answer_ends(ada: Person, model: ScriptedModel) -> None:
    model.will("First ", Pause(), "and last.")
    # The model goes on only when its first word has been heard.
    listener = TurnListener(on_text=lambda _: model.go_on.set())

    answer = ada.say("Slowly, please.", listener=listener)

    assert listener.heard[0].strip() == "First"
    assert answer.text == listener.said == "First and last."


def test_characters_that_come_in_halves_are_put_together(ada: Person, model: ScriptedModel) -> None:
    """And what no database keeps is left out."""
    model.will("Well \ud83d", "\ude00 done\x00.")

    assert ada.say("Smile!").text == "Well \N{GRINNING FACE} done."


def test_an_answer_stands_in_no_log(
    ada: Person, model: ScriptedModel, capsys: pytest.CaptureFixture[str]
) -> None:
    """OpenClaw prints each answer, and so would we if we listened."""
    model.will("Between us: Byron.")

    ada.say("Whose daughter am I?")

    assert "Between us" not in "".join(capsys.readouterr())


def test_tools_cannot_reach_the_network_or_run_programs(ada: Person, model: ScriptedModel) -> None:
    model.will("Only files.")

    ada.say("What can you do?")

    tools = {tool["function"]["name"] for tool in model.requests[0]["tools"]}
    files = {"read", "write", "edit", "ls", "view_image"}
    assert tools == files | {tool.full_name for tool in TOOLS}


def test_what_is_written_down_is_known_in_another_conversation(
    ada: Person, model: ScriptedModel
) -> None:
    note = "# Memory\n- Ada's loom is called Jacquard\n"
    model.will(UseTool("write", {"path": "MEMORY.md", "content": note}), "Noted.")
    listener = TurnListener()
    ada.say("My loom is called Jacquard.", listener=listener)
    assert listener.tools == ["write"]

    ada.begin_conversation()
    told = ("Looms", "My cat is called Byron.", "A fine name.", datetime.now(UTC))
    ada.recent = (Exchange(new_id(), *told),)
    model.will("Jacquard.")
    ada.say("What is my loom called?")

    assert "Ada's loom is called Jacquard" in model.last_request
    assert "My cat is called Byron." in model.last_request


def test_a_changed_profile_reaches_the_hot_assistant(ada: Person, model: ScriptedModel) -> None:
    ada.profile = Profile("Countess Lovelace", "Asia/Tokyo", ada.profile.needs)
    model.will("Very well.")

    ada.say("I have moved.")

    assert "Countess Lovelace" in model.last_request
    assert "Ada Lovelace" not in model.last_request
    assert "Asia/Tokyo] I have moved." in str(model.last_message)
    assert "Ada's loom is called Jacquard" in model.last_request


def test_images_are_seen_and_documents_are_read(ada: Person, model: ScriptedModel) -> None:
    image, text = png(), b"The engine weaves algebraical patterns."
    model.will("A red square, a note and a letter.")

    ada.say(
        "What are these?",
        Attachment("red.png", "image/png", image),
        Attachment("note.txt", "text/plain", text),
        Attachment("letter.pdf", "application/pdf", _pdf("Dear Mister Babbage")),
    )

    parts = model.last_message
    urls = [part["image_url"]["url"] for part in parts if part["type"] == "image_url"]
    assert len(urls) == 1
    assert base64.b64decode(urls[0].partition(",")[2]).startswith(b"\x89PNG")
    words = "\n".join(part["text"] for part in parts if part["type"] == "text")
    assert text.decode() in words
    assert "Dear Mister Babbage" in words
    model.will(UseTool("ls", {"path": "uploads"}), "There they are.")
    ada.say("Where are they?")
    assert "red.png" in str(model.last_message)
    assert "letter.pdf" in str(model.last_message)


@pytest.mark.parametrize("provider", ["anthropic", "openai", "gemini"])
def test_every_provider_is_spoken_to_in_its_own_format(
    ada: Person, agent_settings: Settings, provider: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The model is chosen anew with each message, and uses tools with each provider."""
    names = {
        "anthropic": agent_settings.anthropic_models,
        "openai": agent_settings.openai_models,
        "gemini": agent_settings.gemini_models,
    }
    chosen = f"{provider}/{names[provider][0]}"
    script = '[[demo: tool ls {"path": "."}]] [[demo: say The other side.]]'
    usage = "[[demo: usage input=100 output=20 cache_read=30]]"
    listener, calls = TurnListener(), len(ada.purse.closed)

    answer = ada.say(f"{script} {usage}", listener=listener, model=chosen)

    assert answer.text == "The other side."
    assert listener.tools == ["ls"]
    closed = ada.purse.closed[calls:]
    assert [(call.model, call.outcome) for call in closed] == [(chosen, "completed")] * 2
    assert {call.usage.output_tokens for call in closed} == {20}
    assert {call.usage.cache_read_tokens for call in closed} == {30}
    assert not any(call.is_estimated for call in closed)
    # What this OpenClaw sends is known to the meter, to the last field.
    assert "meter.left_out" not in "".join(capsys.readouterr())


def test_a_stop_keeps_what_was_said_and_ends_the_call(ada: Person, model: ScriptedModel) -> None:
    model.will("One ", "two ", Pause(), "never said")
    listener = TurnListener(on_text=lambda delta: "two" in delta and ada.stop.set())

    with pytest.raises(AgentFailed) as failure:
        ada.say("Count.", listener=listener)

    assert failure.value.code == "stopped"
    assert listener.said.split() == ["One", "two"]
    assert model.hung_up.wait(PATIENCE_SECONDS)
    assert ada.purse.closed[-1].outcome == "stopped"
    ada.stop = threading.Event()
    ada.save()
    model.will("Here I am.")
    assert ada.say("Still there?").text == "Here I am."


def test_without_credit_the_reason_is_told_and_the_cell_stays_usable(
    ada: Person, model: ScriptedModel
) -> None:
    full, ada.purse = ada.purse, Purse(micros=0)
    model.will("Too dear.")
    with pytest.raises(AgentFailed) as failure:
        ada.say("Hello?", saved=False)
    assert (failure.value.code, failure.value.permanent) == ("no_credit", True)
    assert model.requests == []

    ada.purse = full
    assert ada.say("And now?").text == "Too dear."


def test_an_empty_answer_is_a_failure(ada: Person, model: ScriptedModel) -> None:
    model.will(" ", Then(), "\n", Then(), " ", Then())

    with pytest.raises(AgentFailed) as failure:
        ada.say("Hello?", saved=False)

    assert (failure.value.code, failure.value.permanent) == ("no_answer", False)


def test_a_model_that_is_not_offered_is_refused(ada: Person) -> None:
    with pytest.raises(AgentFailed) as failure:
        ada.runtime.run(ada.turn("Hi", model="demo/none"), TurnListener(), ada.purse, ada.stop)

    assert failure.value.permanent


def test_another_persons_assistant_knows_nothing_of_it(
    ada: Person, runtime: Runtime, model: ScriptedModel
) -> None:
    eve = Person(runtime, Profile("Eve", "UTC", ""))
    model.will("Nothing.")

    eve.say("What is Ada's loom called?", saved=False)

    assert "Jacquard" not in model.last_request
    assert "Lovelace" not in model.last_request
    assert set(runtime.hot_users()) == {ada.id, eve.id}
    # Both cells are taken now: a third person's turn makes room by ending the one idle longest.
    third = Person(runtime, Profile("Third", "UTC", ""))
    ada.say("I was here last.")
    eve.save()
    model.will("Welcome.")
    assert third.say("Hello?").text == "Welcome."
    assert eve.id not in runtime.hot_users()


def test_a_stale_cell_is_not_used(ada: Person, runtime: Runtime, model: ScriptedModel) -> None:
    """Somebody else saved a newer version: what this worker's cell has is out of date."""
    newest = ada.states[0]
    model.will("From the files.")
    ada.states = (replace(newest, version=newest.version + 5), *ada.states)

    answer = ada.say("Hello?")

    assert answer.state_version == newest.version + 5
    assert "Ada's loom is called Jacquard" in model.last_request


def test_a_live_cell_mends_what_storage_lost(
    ada: Person, model: ScriptedModel, storage: Storage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is on top of the lost pack, nothing of it could be restored any more."""
    storage.delete(ada.states[0].packs[0].key)
    monkeypatch.setattr(saved, "MOST_PACKS", 1)
    monkeypatch.setattr(saved, "MERGED_PACKS", 1)
    model.will("Still here.")

    ada.say("Are you?")

    assert len(ada.states[0].packs) == 1


def test_a_killed_cell_fails_its_turn_at_once(
    ada: Person, runtime: Runtime, model: ScriptedModel
) -> None:
    model.will("I was about to ", Pause())
    pid = runtime.pid_of(ada.id)
    assert pid is not None
    listener = TurnListener(on_text=lambda _: os.kill(pid, signal.SIGKILL))

    with pytest.raises(AgentFailed) as failure:
        ada.say("Go on.", listener=listener, saved=False)

    assert (failure.value.code, failure.value.permanent) == ("cell_died", False)
    assert ada.purse.closed[-1].outcome in {"stopped", "cut"}
    runtime.discard(ada.id)
    assert ada.id not in runtime.hot_users()


def test_the_assistant_survives_its_worker(
    ada: Person, model: ScriptedModel, start_runtime: Callable[..., Runtime]
) -> None:
    """Another worker, an empty disk, the same storage."""
    ada.runtime = start_runtime()
    model.will("I remember.")

    answer = ada.say("Do you remember me?")

    assert answer.text == "I remember."
    assert "Ada's loom is called Jacquard" in model.last_request
    assert "What is my loom called?" in model.last_request


def _pdf(text: str) -> bytes:
    writer = PdfWriter()
    page = writer.add_blank_page(300, 300)
    font = DictionaryObject(
        {
            NameObject("/Type"): NameObject("/Font"),
            NameObject("/Subtype"): NameObject("/Type1"),
            NameObject("/BaseFont"): NameObject("/Helvetica"),
        }
    )
    fonts = DictionaryObject({NameObject("/F1"): font})
    page[NameObject("/Resources")] = DictionaryObject({NameObject("/Font"): fonts})
    content = DecodedStreamObject()
    content.set_data(f"BT /F1 12 Tf 20 200 Td ({text}) Tj ET".encode())
    page[NameObject("/Contents")] = content
    written = BytesIO()
    writer.write(written)
    return written.getvalue()
