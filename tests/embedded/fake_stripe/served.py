"""The Stripe stand-in as a real process, as the embedded stack starts it."""

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from embedded.fake_stripe.deliveries import signature
from settings import PROJECT_DIR

SECRET = "whsec_of_tests"
# One for all requests: a client of its own for each would look for certificates each time.
HTTP = httpx2.Client(verify=False)
QUIET: dict[str, Any] = {"delay_seconds": 0, "copies": 1, "reorder": False, "lose": False}


@dataclass(frozen=True)
class ServedStripe:
    """A running stand-in."""

    url: str
    process: subprocess.Popen[str]

    def environment(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "STRIPE_SECRET_KEY": "sk_test_any",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "STRIPE_API_BASE": self.url,
            "PAYMENT_PAGE_ORIGINS": json.dumps([self.url]),
        }

    def reset(self) -> None:
        """Forget what was paid and switched: whoever asks for all events asks for few."""
        self.switch()
        self.aim(None)
        HTTP.delete(f"{self.url}/_control/books").raise_for_status()

    def switch(self, **changed: Any) -> None:
        """Let deliveries go wrong."""
        HTTP.put(f"{self.url}/_control/switches", json={**QUIET, **changed}).raise_for_status()

    def aim(self, url: str | None) -> None:
        """Tell webhooks to this address."""
        HTTP.put(f"{self.url}/_control/webhook", json={"url": url}).raise_for_status()

    def act(self, path: str, **asked: Any) -> dict[str, Any]:
        """Let an accident happen, as `embedded.fake_stripe.control` lists them."""
        answer = HTTP.post(f"{self.url}/_control/{path}", json=asked)
        assert answer.status_code in {200, 402}, answer.text
        return answer.json()

    def pay(self, session_id: str, card: str = "4242") -> dict[str, Any]:
        return self.act(f"sessions/{session_id}/payment", card=card)

    def api(self, method: str, path: str, key: str = "", **form: Any) -> httpx2.Response:
        """Ask the API without its SDK."""
        headers = {"Authorization": "Bearer sk_test_any"}
        if key:
            headers["Idempotency-Key"] = key
        return HTTP.request(
            method, f"{self.url}/v1/{path}", headers=headers, data=form if form else None
        )

    def events(self, kind: str | None = None) -> list[dict[str, Any]]:
        """The latest events, oldest first."""
        found = self.api("GET", "events?limit=100").json()["data"]
        return [one for one in reversed(found) if kind in (None, one["type"])]


def signed(event: dict[str, Any], *, at: int | None = None, secret: str = SECRET) -> dict[str, Any]:
    """Make of an event what a webhook is posted with."""
    payload = json.dumps(event).encode()
    proof = signature(payload, secret, int(time.time()) if at is None else at)
    return {"data": payload, "headers": {"Stripe-Signature": proof}}


@contextmanager
def served_stripe(data: Path | None = None, *flags: str) -> Generator[ServedStripe]:
    """Start the stand-in on a free port, and stop it."""
    kept = ["--data", str(data)] if data else []
    command = [sys.executable, "-m", "embedded.fake_stripe", "--port", "0", *kept, *flags]
    process = subprocess.Popen(
        command,
        cwd=PROJECT_DIR,
        env={"STRIPE_WEBHOOK_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        told = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert told
        yield ServedStripe(told[0], process)
    finally:
        process.terminate()
        assert process.wait(10) in {0, -signal.SIGKILL}
