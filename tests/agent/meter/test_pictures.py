"""Pictures of earlier messages are left out when a provider refuses them; the latest never is."""

from typing import Any

import pytest

from agent.meter.pictures import NOTE, without_earlier

DATA = "A" * 40
URL = f"data:image/png;base64,{DATA}"
SOURCE = {"type": "base64", "media_type": "image/png", "data": DATA}
# How each format has a picture in a message, one that a tool returned, and a text in its place.
ANTHROPIC: dict[str, Any] = {"type": "image", "source": SOURCE}
FORMS: dict[str, tuple[str, dict[str, Any], str, dict[str, Any]]] = {
    "anthropic": ("messages", ANTHROPIC, "content", {"type": "text", "text": NOTE}),
    "completions": (
        "messages",
        {"type": "image_url", "image_url": {"url": URL}},
        "content",
        {"type": "text", "text": NOTE},
    ),
    "responses": (
        "input",
        {"type": "input_image", "image_url": URL},
        "content",
        {"type": "input_text", "text": NOTE},
    ),
    "google": (
        "contents",
        {"inlineData": {"mimeType": "image/png", "data": DATA}},
        "parts",
        {"text": NOTE},
    ),
}


@pytest.mark.parametrize("name", FORMS)
def test_earlier_pictures_are_left_out_and_the_latest_stays(name: str) -> None:
    said, picture, inner, note = FORMS[name]
    first = {"role": "user", inner: [dict(picture)]}
    answer = {"role": "assistant", inner: [{"text": "Red."}]}
    latest = {"role": "user", inner: [dict(picture)]}
    body: dict[str, Any] = {said: [first, answer, latest]}

    assert without_earlier(body)
    assert body[said] == [{"role": "user", inner: [note]}, answer, latest]
    assert not without_earlier(body)


def test_pictures_that_an_earlier_tool_returned_are_left_out_too() -> None:
    result: dict[str, Any] = {
        "type": "tool_result",
        "tool_use_id": "a",
        "content": [dict(ANTHROPIC)],
    }
    shown_now: dict[str, Any] = {**result, "content": [dict(ANTHROPIC)]}
    of_now = {"role": "user", "content": [shown_now]}
    body: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": "Look."},
            {"role": "user", "content": [result]},
            {"role": "user", "content": "And now?"},
            of_now,
        ]
    }

    assert without_earlier(body)
    assert result["content"] == [{"type": "text", "text": NOTE}]
    assert shown_now["content"] == [ANTHROPIC]


@pytest.mark.parametrize("body", [{}, {"messages": "no list"}, {"messages": [{"content": "Hi"}]}])
def test_where_there_is_none_nothing_changes(body: dict[str, Any]) -> None:
    assert not without_earlier(body)
