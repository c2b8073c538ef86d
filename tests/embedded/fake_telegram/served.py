"""The Telegram stand-in as a real process, as the embedded stack starts it, and people in it."""

import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from settings import PROJECT_DIR

BOT_ID = 7_000_000_001
TOKEN = f"{BOT_ID}:a-token_of-tests"
PAGE_TOKEN = "page-of-tests"
WEBHOOK_SECRET = "webhooks-of-tests"
USERNAME = "shellmate_bot"
# One for all requests: a client of its own for each would look for certificates each time.
HTTP = httpx2.Client(verify=False, timeout=30)
Body = dict[str, Any]
# A name, what is in it, and its kind.
File = tuple[str, bytes, str]


@dataclass(frozen=True)
class ServedTelegram:
    """A running stand-in."""

    url: str
    process: subprocess.Popen[str]

    @property
    def page(self) -> str:
        """The address of the phone."""
        return f"{self.url}/{PAGE_TOKEN}"

    def environment(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "TELEGRAM_BOT_TOKEN": TOKEN,
            "TELEGRAM_WEBHOOK_SECRET": WEBHOOK_SECRET,
            "TELEGRAM_API_BASE": self.url,
            "TELEGRAM_LINK_BASE": self.page,
        }

    def call(self, method: str, **values: Any) -> httpx2.Response:
        """Call the Bot API without its library."""
        return HTTP.post(f"{self.url}/bot{TOKEN}/{method}", json=values)

    def reset(self) -> None:
        """Forget what was said, set and switched."""
        # First, so that nothing of the rest goes wrong.
        HTTP.delete(f"{self.page}/control/everything").raise_for_status()
        self.call("deleteWebhook", drop_pending_updates=True)
        self.call("deleteMyCommands")
        # What kinds of updates the bot wants is kept until it says otherwise.
        self.call("getUpdates", allowed_updates=[], offset=-1)

    def switch(self, **switches: Any) -> None:
        """Let calls and deliveries go wrong, as `faults.Switches` lists it."""
        HTTP.put(f"{self.page}/control/faults", json=switches).raise_for_status()

    def spoil_next(self, method: str, *faults: str) -> None:
        """Let the next calls of a method go wrong, one after the other."""
        asked = {"method": method, "faults": faults}
        HTTP.post(f"{self.page}/control/faults/next", json=asked).raise_for_status()

    def limit(self, **limits: float) -> None:
        """Change how much a bot may send, as `limits.Limits` lists it."""
        HTTP.put(f"{self.page}/control/limits", json=limits).raise_for_status()

    def repeat(self, update_id: int) -> None:
        """Deliver an update once more."""
        HTTP.post(f"{self.page}/control/updates/{update_id}/delivery").raise_for_status()

    def journal(self, chat_id: int | None = None) -> Body:
        """What was said, delivered and called, in one chat or in all."""
        query = "" if chat_id is None else f"?chat={chat_id}"
        return HTTP.get(f"{self.page}/journal{query}").json()

    def ada(self) -> "Person":
        """One of the two who are always there; Eve is the other."""
        return self._known("Ada")

    def eve(self) -> "Person":
        return self._known("Eve")

    def person(self, name: str) -> "Person":
        """Somebody new."""
        made = HTTP.post(f"{self.page}/people", json={"name": name})
        assert made.status_code == 200, made.text
        return Person(self, made.json()["id"])

    def _known(self, name: str) -> "Person":
        people: list[Body] = HTTP.get(f"{self.page}/people").json()
        return Person(self, next(one["id"] for one in people if one["first_name"] == name))


@dataclass(frozen=True)
class Person:
    """Somebody in the messenger; their id is that of their chat with the bot too."""

    telegram: ServedTelegram
    id: int

    def start(self, code: str = "") -> Body:
        """Open the chat with the bot, perhaps by a link with a code."""
        return self.say(f"/start {code}".strip())

    def say(self, text: str, **more: Any) -> Body:
        """Send a text; return the message."""
        return self.send("text", text=text, **more)[0]

    def send(self, kind: str, *files: File, **more: Any) -> list[Body]:
        """Send something of a kind, as `said` lists them; return the messages that it made."""
        answer = self.try_to_send(kind, *files, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["messages"]

    def try_to_send(self, kind: str, *files: File, **more: Any) -> httpx2.Response:
        form = {"kind": kind, **{name: str(value) for name, value in more.items()}}
        if not files:
            return self.post("messages", **form)
        listed = [("files", file) for file in files]
        return HTTP.post(f"{self._address}/messages", data=form, files=listed)

    def edit(self, message_id: int, text: str) -> Body:
        return self.post(f"messages/{message_id}/edit", text=text).json()

    def press(self, message_id: int, data: str, **more: Any) -> str:
        """Press a button; return the id of the press."""
        answer = self.post("presses", message_id=message_id, data=data, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()["id"]

    def block(self, *, is_blocked: bool = True) -> None:
        self.post("blocking", is_blocked=is_blocked).raise_for_status()

    def make_group(self, title: str = "Friends") -> int:
        """Make a group with the bot in it; return its id."""
        return self.post("groups", title=title).json()["chat"]["id"]

    def messages(self, chat_id: int | None = None) -> list[Body]:
        """What their phone shows of a chat now."""
        shown = {chat["chat"]["id"]: chat for chat in self.state()["chats"]}
        return shown[chat_id or self.id]["messages"]

    def state(self) -> Body:
        return HTTP.get(self._address).json()

    def post(self, path: str, **values: Any) -> httpx2.Response:
        return HTTP.post(f"{self._address}/{path}", json=values)

    @property
    def _address(self) -> str:
        return f"{self.telegram.page}/people/{self.id}"


@contextmanager
def served_telegram(data: Path | None = None) -> Generator[ServedTelegram]:
    """Start the stand-in on a free port, and stop it."""
    kept = ["--data", str(data)] if data else []
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded.fake_telegram", "--port", "0", *kept],
        cwd=PROJECT_DIR,
        env={"TELEGRAM_BOT_TOKEN": TOKEN, "TELEGRAM_PAGE_TOKEN": PAGE_TOKEN},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        told = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert told
        yield ServedTelegram(told[0], process)
    finally:
        process.terminate()
        assert process.wait(10) in {0, -signal.SIGKILL}
