"""The Google stand-in as a real process, as the embedded stack starts it."""

import re
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape

import httpx2

from embedded.fake_google.mischief import Mischief
from settings import PROJECT_DIR

CLIENT_ID = "shellmate-of-tests"
SECRET = "a secret of tests, with : and % in it"
FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass(frozen=True)
class ServedGoogle:
    """A running stand-in."""

    url: str

    def environment(self) -> dict[str, str]:
        """The settings that lead here."""
        return {
            "GOOGLE_CLIENT_ID": CLIENT_ID,
            "GOOGLE_CLIENT_SECRET": SECRET,
            "GOOGLE_ISSUER": self.url,
        }

    def be(self, mischief: Mischief) -> None:
        """Let something go wrong from now on."""
        asked = {"mischief": mischief}
        httpx2.put(f"{self.url}/_control/mischief", json=asked).raise_for_status()

    def change_key(self) -> None:
        httpx2.post(f"{self.url}/_control/keys").raise_for_status()

    def choose(self, page: str, email: str) -> str:
        """Choose an account on the page at an address; return where that leads."""
        return self._press(page, {"email": email})

    def cancel(self, page: str) -> str:
        """Go back without choosing; return where that leads."""
        return self._press(page, {"cancel": "yes"})

    def _press(self, page: str, button: dict[str, str]) -> str:
        shown = httpx2.get(page)
        assert shown.status_code == 200, shown.text
        fields = {unescape(name): unescape(value) for name, value in FIELD.findall(shown.text)}
        answer = httpx2.post(f"{self.url}/authorize", data={**fields, **button})
        assert answer.status_code == 303, answer.text
        return answer.headers["Location"]


@contextmanager
def served_google() -> Generator[ServedGoogle]:
    """Start the stand-in on a free port, and stop it."""
    flags = ("--port", "0", "--client-id", CLIENT_ID)
    process = subprocess.Popen(
        [sys.executable, "-m", "embedded.fake_google", *flags],
        cwd=PROJECT_DIR,
        env={"GOOGLE_CLIENT_SECRET": SECRET},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout
        told = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert told
        yield ServedGoogle(told[0])
    finally:
        process.terminate()
        assert process.wait(10) in {0, -signal.SIGKILL}
