"""Who may see the phone, and what its addresses give away."""

import subprocess
import sys

import pytest

from settings import PROJECT_DIR
from tests.embedded.fake_telegram.served import HTTP, PAGE_TOKEN, TOKEN, Person, ServedTelegram
from tests.embedded.fake_telegram.test_methods import png

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_nobody_gets_in_without_the_pages_token(telegram: ServedTelegram, ada: Person) -> None:
    starts = ("", "/guess", f"/{PAGE_TOKEN[:-1]}", f"/{PAGE_TOKEN}x", "/%ff", "/²", f"/{TOKEN}")
    reading = ("", "/", "/people", f"/people/{ada.id}", f"/people/{ada.id}/events", "/journal")
    reading = (*reading, "/assets/phone.js", "/shellmate_bot", "/controls", "/control/faults")
    for start in starts:
        for path in reading:
            answer = HTTP.get(f"{telegram.url}{start}{path}")
            assert answer.status_code == 404, (start, path)
            assert "Ada" not in answer.text
        for path in (f"/people/{ada.id}/messages", "/people", f"/people/{ada.id}/blocking"):
            assert HTTP.post(f"{telegram.url}{start}{path}", json={}).status_code in {404, 405}
        assert HTTP.delete(f"{telegram.url}{start}/control/everything").status_code in {404, 405}
    assert len(ada.messages()) == 1
    assert "whole address" in HTTP.get(f"{telegram.url}/guess/").text


def test_pages_elsewhere_can_neither_read_nor_write(telegram: ServedTelegram, ada: Person) -> None:
    for path in (f"/{PAGE_TOKEN}/", f"/bot{TOKEN}/getMe", "/healthz"):
        renamed = HTTP.get(f"{telegram.url}{path}", headers={"Host": "evil.example"})
        assert renamed.status_code == 421
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    said = HTTP.post(
        f"{telegram.page}/people/{ada.id}/messages", json={"text": "x"}, headers=elsewhere
    )
    assert said.status_code == 403
    assert len(ada.messages()) == 1


def test_its_pages_run_nothing_but_their_own(telegram: ServedTelegram) -> None:
    for path in ("/", "/shellmate_bot?start=a", "/controls", "/assets/phone.css", "/nowhere"):
        headers = HTTP.get(f"{telegram.page}{path}").headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert headers["Referrer-Policy"] == "no-referrer"
    led = HTTP.get(telegram.page)
    assert (led.status_code, led.headers["Location"]) == (302, f"/{PAGE_TOKEN}/")


def test_files_are_shown_only_as_what_they_are(telegram: ServedTelegram, ada: Person) -> None:
    sent = [
        ("a.png", png(), "text/html"),
        ("a.svg", SVG, "image/svg+xml"),
        ("a.html", b"<script>alert(1)</script>", "text/html"),
    ]
    kinds: list[tuple[str, str | None]] = []
    for file in sent:
        file_id = ada.send("document", file)[0]["document"]["file_id"]
        answer = HTTP.get(f"{telegram.page}/files/{file_id}")
        assert answer.content == file[1]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        kinds.append((answer.headers["Content-Type"], answer.headers.get("Content-Disposition")))
    octets = ("application/octet-stream", "attachment")
    assert kinds == [("image/png", None), octets, octets]
    voice = ada.send("voice", words="Hello")[0]["voice"]["file_id"]
    assert HTTP.get(f"{telegram.page}/files/{voice}").headers["Content-Type"] == "audio/wav"
    assert HTTP.get(f"{telegram.page}/files/guessed").status_code == 404


@pytest.mark.parametrize("name", ["..%2fmessenger.d.ts", "messenger.d.ts", "phone.html", "nothing"])
def test_there_are_no_other_assets(telegram: ServedTelegram, name: str) -> None:
    assert HTTP.get(f"{telegram.page}/assets/{name}").status_code == 404


def test_nobody_acts_in_chats_of_others(telegram: ServedTelegram, ada: Person) -> None:
    eve = telegram.eve()
    said = ada.say("Mine")
    group = ada.make_group()
    for chat in (ada.id, group):
        assert eve.try_to_send("text", text="x", chat_id=chat).status_code == 404
        edit = eve.post(f"messages/{said['message_id']}/edit", text="x", chat_id=chat)
        assert edit.status_code == 404
    assert eve.post(f"messages/{said['message_id']}/edit", text="x").status_code == 404
    assert eve.try_to_send("text", text="x", reply_to=said["message_id"]).status_code == 404
    assert HTTP.post(f"{telegram.page}/people/5/messages", json={"text": "x"}).status_code == 400
    assert HTTP.get(f"{telegram.page}/people/x").status_code == 404


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("text", {"text": ""}),
        ("photo", {}),
        ("album", {}),
        ("dance", {}),
        ("location", {"latitude": "north"}),
    ],
)
def test_what_cannot_be_said_is_refused(ada: Person, kind: str, more: dict[str, str]) -> None:
    assert ada.try_to_send(kind, **more).status_code == 400
    assert len(ada.messages()) == 1


def test_people_have_names(telegram: ServedTelegram) -> None:
    for name in ("", "  ", "x" * 65):
        refused = HTTP.post(f"{telegram.page}/people", json={"name": name})
        assert refused.status_code == 400
    grace = telegram.person("Grace Hopper <b>")
    assert grace.state()["person"]["last_name"] == "Hopper <b>"


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, b"TELEGRAM_BOT_TOKEN is missing"),
        ({"TELEGRAM_BOT_TOKEN": "abc"}, b"TELEGRAM_BOT_TOKEN is missing, or not like 123:abc"),
        ({"TELEGRAM_BOT_TOKEN": "1:a"}, b"TELEGRAM_PAGE_TOKEN is missing"),
    ],
)
def test_without_its_tokens_it_does_not_start(environment: dict[str, str], words: bytes) -> None:
    command = [sys.executable, "-m", "embedded.fake_telegram", "--port", "0"]
    ended = subprocess.run(
        command, cwd=PROJECT_DIR, env=environment, capture_output=True, check=False
    )
    assert ended.returncode == 2
    assert words in ended.stderr
