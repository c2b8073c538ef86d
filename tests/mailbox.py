"""The mailbox of the embedded stack, as tests read it, and one of their own that can be unwell."""

import re
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx2

from embedded.ports import LOCALHOST, free_port
from embedded.stores import is_listening
from settings import PROJECT_DIR
from tests.house import wait_for

# One for all that is looked at again and again: to make a client takes longer than to ask.
HTTP = httpx2.Client(timeout=10, verify=False)
LINK = re.compile(r"https?://\S+\?token=\S+")


@dataclass(frozen=True)
class ReadMail:
    recipient: str
    sender: str
    subject: str
    text: str
    html: str

    @property
    def link(self) -> str:
        """The one link with a token in it."""
        found = LINK.search(self.text)
        assert found, self.text
        return found[0]


class Mailbox:
    """A mailbox at a page's address."""

    def __init__(self, url: str) -> None:
        self.url = url

    def mails(self, recipient: str) -> list[ReadMail]:
        """What this address has got, newest first."""
        mails: list[dict[str, Any]] = self._read(recipient)["mails"]
        names = ReadMail.__dataclass_fields__
        return [ReadMail(**{name: mail[name] for name in names}) for mail in mails]

    def wait_for(self, recipient: str, subject: str = "") -> ReadMail:
        """Wait until this address has a mail whose subject has these words."""

        def _look() -> ReadMail | None:
            found = self.mails(recipient)
            return next((mail for mail in found if subject in mail.subject), None)

        return wait_for(_look, f"“{subject}” for {recipient}", seconds=30)

    def handed_in(self) -> int:
        """How often a whole mail was handed in, whatever came of it."""
        return int(self._read("")["handed_in"])

    def be(self, mood: str) -> None:
        """Let the server be `well`, or `refuse`, put off till `later`, or `vanish` after a mail."""
        HTTP.post(f"{self.url}/_mood", content=mood).raise_for_status()

    def _read(self, recipient: str) -> dict[str, Any]:
        return HTTP.get(f"{self.url}/mails.json", params={"to": recipient}).json()


@contextmanager
def own_mailbox(folder: Path, smtp_port: int = 0) -> Generator[tuple[Mailbox, str]]:
    """A mailbox in a process of its own, and the setting that leads to it."""
    smtp_port, port, token = smtp_port or free_port(), free_port(), token_hex(16)
    ports = ("--smtp-port", str(smtp_port), "--port", str(port))
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded.mailbox", *ports, "--folder", str(folder)],
        cwd=PROJECT_DIR,
        env={"MAILBOX_TOKEN": token},
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: is_listening(smtp_port) and is_listening(port), "the mailbox", seconds=30)
        yield Mailbox(f"http://{LOCALHOST}:{port}/{token}"), f"smtp+plain://{LOCALHOST}:{smtp_port}"
    finally:
        process.terminate()
        process.wait(10)
