"""People with phones: the messenger's stand-in, as the running product has it."""

from dataclasses import dataclass
from typing import Any

import httpx2

Body = dict[str, Any]


@dataclass(frozen=True)
class Phones:
    """The stand-in's page, by whose address people act and switches are set."""

    page: str
    http: httpx2.Client

    @classmethod
    def of(cls, environment: dict[str, str]) -> "Phones":
        """Find them by the settings of a running stack."""
        return cls(environment["TELEGRAM_LINK_BASE"], httpx2.Client(timeout=30, verify=False))

    def join(self, name: str) -> int:
        """Make somebody new; their id is that of their chat with the bot too."""
        made = self.http.post(f"{self.page}/people", json={"name": name})
        return made.raise_for_status().json()["id"]

    def say(self, person_id: int, text: str) -> Body:
        """Let somebody write; return the message."""
        form = {"kind": "text", "text": text}
        sent = self.http.post(f"{self.page}/people/{person_id}/messages", json=form)
        return sent.raise_for_status().json()["messages"][0]

    def switch(self, **switches: Any) -> None:
        """Let calls and deliveries go wrong, as the stand-in's `faults.Switches` lists it."""
        self.http.put(f"{self.page}/control/faults", json=switches).raise_for_status()

    def journal(self, person_id: int) -> Body:
        """What was said in a chat, with all versions, and how each call went."""
        return self.http.get(f"{self.page}/journal?chat={person_id}").raise_for_status().json()
