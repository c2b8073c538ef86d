"""The demo model as a real process, as the embedded stack starts it, and its official clients."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
from anthropic import AsyncAnthropic
from google import genai
from google.genai import types
from openai import AsyncOpenAI

from settings import PROJECT_DIR


@dataclass(frozen=True)
class Served:
    """A running demo model."""

    url: str
    process: subprocess.Popen[str]

    def anthropic(self) -> AsyncAnthropic:
        return AsyncAnthropic(api_key="k", base_url=self.url, max_retries=0)

    def openai(self) -> AsyncOpenAI:
        return AsyncOpenAI(api_key="k", base_url=f"{self.url}/v1", max_retries=0)

    def gemini(self, version: str = "v1beta") -> Any:
        """Return google.genai.Client, whose own types are not complete."""
        options = types.HttpOptions(base_url=self.url, api_version=version)
        return genai.Client(vertexai=False, api_key="k", http_options=options)

    def recorded(self) -> list[dict[str, Any]]:
        return httpx2.get(f"{self.url}/_recorded").json()

    def post(self, path: str, body: Mapping[str, Any], **headers: str) -> httpx2.Response:
        return httpx2.post(f"{self.url}{path}", json=body, headers=headers)

    def chat(self, text: str, **more: Any) -> dict[str, Any]:
        """Ask in OpenAI's format, not streamed; return the message."""
        said = [{"role": "user", "content": text}]
        body = {"model": "demo", "messages": said, **more}
        answer = self.post("/v1/chat/completions", body, authorization="Bearer k")
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content)["choices"][0]["message"]


@contextmanager
def served(*flags: str) -> Generator[Served]:
    """Start the demo model on a free port with these flags, and stop it."""
    command = [sys.executable, "-m", "embedded.demo_model", "--port", "0", *flags]
    # A stack of other tests may have left its wishes there.
    plain = {name: value for name, value in os.environ.items() if "DEMO_MODEL" not in name}  # noqa: TID251
    process = subprocess.Popen(
        command, cwd=PROJECT_DIR, env=plain, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        told = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert told
        yield Served(told[0], process)
    finally:
        process.terminate()
        assert process.wait(10) == 0
