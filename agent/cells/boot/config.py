"""The configuration file that OpenClaw is given in a cell."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from agent import context
from agent.catalogue import Model, Provider
from agent.cells.host.sandbox import Inside
from agent.tools.registry import SERVER, Tool

# Fixed, because each cell has a loopback of its own; without one the ports are free ones.
GATEWAY_PORT = 19200
METER_PORT = 19201
TOOLS_PORT = 19202
CONFIG_FILE = "openclaw.json"
HEAP_MB = 768
# For new objects. With 8 a boot spends two CPU-seconds more on collecting them; with 32 a cell has
# 40 MB more, and gains nothing.
YOUNG_MB = 16
# What OpenClaw calls an installation's only agent: its stock program, too, goes on with what was
# saved here.
TENANT = "main"
WARM_UP = "warmup"
TOOLS = ("read", "write", "edit", "ls", "view_image")
# What an allowed "write" brings along, and what has no provider or no way out of a cell.
DENIED_TOOLS = ("apply_patch", "web_search", "web_fetch")
# OpenClaw connects once for each conversation.
TOOLS_CONNECT_MS = 5_000
TOOLS_REQUEST_MS = 30_000
# Where the meter speaks each provider's own format.
METER_PATHS: dict[Provider, str] = {
    "anthropic": "/anthropic",
    "openai": "/openai/v1",
    "gemini": "/google/v1beta",
    "compatible": "/compatible/v1",
    "demo": "/demo/v1",
}


@dataclass(frozen=True)
class Wiring:
    """What is different in each cell: its secrets, its ports, and where its files are."""

    gateway_token: str
    meter_token: str
    gateway_port: int
    meter_port: int
    home: str
    tools_token: str = ""
    tools_port: int = TOOLS_PORT


def openclaw_config(
    wiring: Wiring, models: Sequence[Model], default: Model, tools: Sequence[Tool] = ()
) -> dict[str, Any]:
    """Build openclaw.json: models through the meter, a few tools, nothing in the background.

    `tools` are the product's own.
    """
    return {
        "gateway": _gateway(wiring),
        "models": {
            "mode": "replace",
            "catalogRefresh": {"enabled": False},
            "providers": _providers(wiring, models),
        },
        "agents": _agents(wiring, models, default),
        "tools": _tools(tools),
        **_mcp(wiring, tools),
        # The one of them for memory would keep words of deleted notes in an index of its own.
        "plugins": {"enabled": False},
        # By default each turn starts a thread that plans clean-ups: a second of CPU.
        "session": {"maintenance": {"mode": "warn"}},
        **_nothing_in_the_background(),
    }


def _gateway(wiring: Wiring) -> dict[str, Any]:
    return {
        "mode": "local",
        "port": wiring.gateway_port,
        "bind": "loopback",
        "auth": {"mode": "token", "token": wiring.gateway_token},
        "http": {"endpoints": {"chatCompletions": {"enabled": True}}},
        "controlUi": {"enabled": False, "sessionObserver": False},
        "terminal": {"enabled": False},
        "reload": {"mode": "off"},
    }


def _providers(wiring: Wiring, models: Iterable[Model]) -> dict[str, Any]:
    providers: dict[str, Any] = {}
    for model in models:
        provider = providers.setdefault(
            model.provider,
            {
                "baseUrl": f"http://127.0.0.1:{wiring.meter_port}{METER_PATHS[model.provider]}",
                "apiKey": wiring.meter_token,
                "api": model.wire,
                "models": [],
            },
        )
        provider["models"].append(_model(model))
    return providers


def _model(model: Model) -> dict[str, Any]:
    return {
        "id": model.name,
        "name": model.display_name,
        "reasoning": model.thinks,
        "input": ["text", "image"] if model.accepts_images else ["text"],
        # The meter knows the prices; these would only be shown inside OpenClaw.
        "cost": {"input": 0, "output": 0, "cacheRead": 0, "cacheWrite": 0},
        "contextWindow": model.context_window,
        # Of models that it knows itself OpenClaw takes the window for larger.
        "contextTokens": model.context_window,
        "maxTokens": model.max_output_tokens,
    }


def _agents(wiring: Wiring, models: Sequence[Model], default: Model) -> dict[str, Any]:
    return {
        "ownership": "explicit",
        "defaults": {
            "model": {"primary": default.id},
            # Without it some would think long before each answer, and others for a while.
            "thinkingDefault": "low",
            # A provider other than Anthropic's own caches the prompt only when told to.
            "params": {"cacheRetention": "short"},
            "skipBootstrap": True,
            "heartbeat": {"every": "0m"},
            "systemAgent": {"agentId": WARM_UP},
            "skills": [],
            "utilityModel": "",
            "compaction": _compaction(models),
        },
        "entries": {
            WARM_UP: {"workspace": f"{wiring.home}/workspace-{WARM_UP}"},
            TENANT: {"workspace": f"{wiring.home}/workspace"},
        },
    }


def _compaction(models: Sequence[Model]) -> dict[str, Any]:
    """How OpenClaw summarizes a conversation that has become long, with the model of its turn."""
    return {
        # It would call the model after the answer, when nobody's turn pays for it.
        "memoryFlush": {"enabled": False},
        # What stays as it was said. With the usual 20,000 a small window is soon full again.
        "keepRecentTokens": context.kept_tokens(models),
        # It refuses summaries without five headings, and the turn with them; weak models then never
        # answer in that conversation again.
        "qualityGuard": {"enabled": False},
    }


def _mcp(wiring: Wiring, tools: Sequence[Tool]) -> dict[str, Any]:
    if not tools:
        return {}
    server = {
        "url": f"http://127.0.0.1:{wiring.tools_port}/mcp",
        "transport": "streamable-http",
        "headers": {"Authorization": f"Bearer {wiring.tools_token}"},
        "connectionTimeoutMs": TOOLS_CONNECT_MS,
        "requestTimeoutMs": TOOLS_REQUEST_MS,
        "toolFilter": {"include": [tool.name for tool in tools]},
    }
    return {"mcp": {"servers": {SERVER: server}}}


def _tools(tools: Sequence[Tool]) -> dict[str, Any]:
    return {
        "allow": [*TOOLS, *(tool.full_name for tool in tools)],
        "deny": list(DENIED_TOOLS),
        "toolSearch": False,
        "fs": {"workspaceOnly": True},
        "elevated": {"enabled": False},
        "exec": {"mode": "deny"},
        "agentToAgent": {"enabled": False},
        "sessions": {"visibility": "self"},
    }


def _nothing_in_the_background() -> dict[str, Any]:
    commands = ("bash", "config", "mcp", "plugins", "debug", "restart")
    return {
        "discovery": {"mdns": {"mode": "off"}},
        "update": {"checkOnStart": False},
        "cron": {"enabled": False},
        "skills": {"workshop": {"autonomous": {"mode": "off"}}, "load": {"watch": False}},
        "browser": {"enabled": False},
        "diagnostics": {"enabled": False},
        "commands": dict.fromkeys(commands, False),
        # At "info" OpenClaw prints what people and their assistants say.
        "logging": {"level": "warn", "consoleLevel": "warn", "audit": {"enabled": False}},
    }


def environment(inside: Inside, relay: dict[str, Any]) -> dict[str, str]:
    """Build the whole environment of a cell: nothing of the worker's own is in it."""
    return {
        # OpenClaw may run no programs; with a real PATH it would look around for some at start.
        "PATH": "/opt",
        "HOME": f"{inside.home}/home",
        "TMPDIR": inside.tmp,
        "LANG": "C.UTF-8",
        "CELL_RELAY": json.dumps(relay),
        "OPENCLAW_STATE_DIR": inside.home,
        "OPENCLAW_CONFIG_PATH": f"{inside.home}/{CONFIG_FILE}",
        "OPENCLAW_NO_RESPAWN": "1",
        "OPENCLAW_PACKAGED_COMPILE_CACHE_RESPAWNED": "1",
        "OPENCLAW_TRAJECTORY": "0",
        "OPENCLAW_SKIP_CRON": "1",
        "OPENCLAW_SKIP_CHANNELS": "1",
        "OPENCLAW_NO_AUTO_UPDATE": "1",
        "OPENCLAW_DISABLE_BONJOUR": "1",
        "OPENCLAW_EXEC_SHELL_SNAPSHOT": "0",
        "MALLOC_ARENA_MAX": "2",
        "NODE_OPTIONS": f"--max-old-space-size={HEAP_MB} --max-semi-space-size={YOUNG_MB}",
    }
