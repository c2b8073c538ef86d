"""OpenClaw as its makers start it, with our configuration, straight at the demo model."""

import json
import os
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2

from agent import catalogue, engine
from agent.cells.boot.config import TENANT, Wiring, environment, openclaw_config
from agent.cells.host.sandbox import Inside
from embedded.ports import free_port
from settings import Settings

TOKEN = "bench"
BOOT_SECONDS = 120
WARM_TURNS = 5


class PlainOpenClaw:
    """An installation in a folder of its own: no sandbox, no relay, no meter."""

    def __init__(self, given: Mapping[str, str], home: Path) -> None:
        self.home = home
        self.port = free_port()
        home.mkdir()
        # Read as the product reads them.
        os.environ.update(given)  # noqa: TID251
        settings = Settings()  # pyright: ignore[reportCallIssue]
        found = engine.find(settings)
        assert found is not None, "the engine is not installed"
        self._node, self._folder = found.node, found.folder
        self._write_config(settings, given["DEMO_MODEL_URL"])

    def _write_config(self, settings: Settings, model_url: str) -> None:
        wiring = Wiring(TOKEN, TOKEN, self.port, 0, str(self.home))
        models = catalogue.models(settings)
        config: dict[str, Any] = openclaw_config(wiring, models, catalogue.default(settings))
        for provider in config["models"]["providers"].values():
            provider["baseUrl"] = f"{model_url}/v1"
        (self.home / "openclaw.json").write_text(json.dumps(config))

    def command(self, *words: str) -> list[str]:
        return [str(self._node), str(self._folder / "node_modules/openclaw/openclaw.mjs"), *words]

    def environment(self) -> dict[str, str]:
        inside = Inside("", "", "", str(self.home), "", "", "/tmp")
        return {**environment(inside, {}), "PATH": "/usr/bin:/bin"}

    @contextmanager
    def gateway(self) -> Generator[str]:
        """A warm gateway's address."""
        process = subprocess.Popen(
            self.command("gateway", "run"),
            env=self.environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{self.port}"
            _wait_until_ready(address)
            for _ in range(WARM_TURNS):
                first_word(address, "Warm up.")
            yield address
        finally:
            process.kill()
            process.wait()

    def agent_once(self, words: str) -> float:
        """Run `openclaw agent --local` for one message; return its seconds."""
        began = time.perf_counter()
        told = ("agent", "--local", "--agent", TENANT, "--message", words)
        done = subprocess.run(
            self.command(*told), env=self.environment(), capture_output=True, check=False
        )
        took = time.perf_counter() - began
        assert done.returncode == 0, done.stderr[-2000:]
        return took


def first_word(address: str, words: str) -> float:
    """Ask a gateway over HTTP; return the seconds until the first word of its answer."""
    began = time.perf_counter()
    with httpx2.stream(
        "POST",
        f"{address}/v1/chat/completions",
        json={
            "model": f"openclaw/{TENANT}",
            "stream": True,
            "messages": [{"role": "user", "content": words}],
        },
        headers={
            "Authorization": f"Bearer {TOKEN}",
            "x-openclaw-session-key": f"agent:{TENANT}:bench",
        },
        timeout=120,
    ) as response:
        took = None
        for line in response.iter_lines():
            if took is None and line.startswith("data: {"):
                choice = json.loads(line[6:]).get("choices", [{}])[0]
                if choice.get("delta", {}).get("content"):
                    took = time.perf_counter() - began
    assert took is not None, "the gateway said nothing"
    return took


def _wait_until_ready(address: str) -> None:
    ends = time.monotonic() + BOOT_SECONDS
    while time.monotonic() < ends:
        try:
            if httpx2.get(f"{address}/readyz", timeout=5).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.2)
    raise AssertionError("the gateway did not come up")
