"""How a cell comes up: its configuration, its processes, and the turns that warm it."""

import asyncio
import json
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

from agent.cells.boot import config
from agent.cells.boot.config import WARM_UP, Wiring
from agent.cells.boot.spec import CellSpec
from agent.cells.host.cell_paths import CellPaths
from agent.cells.host.process import CellProcess
from agent.cells.host.sandbox import Inside
from agent.cells.io.answer import cancelled
from agent.cells.io.gateway import Gateway, GatewayFailed, Question
from agent.cells.io.sockets import CellSockets, free_port
from agent.meter.warmup_responses import TOOL_MARK

BOOT_SECONDS = 180
WARM_UP_SECONDS = 60
GRACE_MS = 3000
LINES_SHOWN = 8
# A program that only waits.
IDLE = "setInterval(() => {}, 1e9)"


class CellFailed(Exception):
    """A cell did not come up."""


@dataclass(frozen=True)
class Tokens:
    """The secrets of one cell's sockets; OpenClaw has all three, and nobody else any."""

    gateway: str
    meter: str
    tools: str


async def start(
    spec: CellSpec, place: CellPaths, sockets: CellSockets, tokens: Tokens
) -> CellProcess:
    """Start OpenClaw in its walls; it takes turns some time later. Raises OSError."""
    await asyncio.to_thread(spec.sandbox.furnish, spec.engine)
    inside = spec.sandbox.inside(place, spec.engine)
    wiring = _wiring(spec, inside, tokens)
    _write_config(spec, place, wiring)
    return await _start(spec, place, sockets, wiring, (inside.openclaw, "gateway", "run"))


async def start_without_openclaw(
    spec: CellSpec, place: CellPaths, sockets: CellSockets
) -> CellProcess:
    """Start walls in which nothing but the relay is at work, on a person's files; it is up soon."""
    await asyncio.to_thread(spec.sandbox.furnish, spec.engine)
    wiring = _wiring(spec, spec.sandbox.inside(place, spec.engine), Tokens("", "", ""))
    return await _start(spec, place, sockets, wiring, ("--eval", IDLE))


async def _start(
    spec: CellSpec, place: CellPaths, sockets: CellSockets, wiring: Wiring, program: tuple[str, ...]
) -> CellProcess:
    inside = spec.sandbox.inside(place, spec.engine)
    gateway_fd, files_fd = sockets.handed_down
    relay: dict[str, object] = {
        "home": inside.home,
        "meterSocket": inside.meter_socket,
        "meterPort": wiring.meter_port,
        "toolsSocket": inside.tools_socket,
        "toolsPort": wiring.tools_port,
        "gatewayPort": wiring.gateway_port,
        "gatewayFd": gateway_fd,
        "filesFd": files_fd,
        "graceMs": GRACE_MS,
    }
    if inside.loopback is not None:
        relay["loopback"] = inside.loopback
    command = [inside.node, inside.relay, inside.node, *program]
    process = await CellProcess.start(
        spec.sandbox.command(place, spec.engine, command),
        folder=place.state,
        environment=config.environment(inside, relay),
        descriptors=(gateway_fd, files_fd),
        mode=spec.sandbox.mode,
        uid=place.uid,
        group=spec.groups.make(spec.memory_limit_bytes) if spec.groups else None,
    )
    sockets.hand_over()
    return process


async def warm_up(gateway: Gateway) -> None:
    """Make OpenClaw load what it loads only when first used; the meter answers for free."""
    question = Question(WARM_UP, "warm-up", TOOL_MARK)
    async with asyncio.timeout(WARM_UP_SECONDS):
        async for _ in gateway.ask(question):
            pass


async def or_fail(process: CellProcess, waiting: Coroutine[Any, Any, None]) -> None:
    """Await a step of the boot, but no longer than the cell lives. Raises CellFailed."""
    step = asyncio.create_task(waiting)
    dying = asyncio.create_task(process.gone.wait())
    try:
        await asyncio.wait({step, dying}, return_when=asyncio.FIRST_COMPLETED)
        if not step.done():
            raise CellFailed(f"it ended with {process.exit_code}: {_last_lines(process)}")
        step.result()
    except (TimeoutError, GatewayFailed) as error:
        raise CellFailed(f"{error!r}: {_last_lines(process)}") from error
    finally:
        await cancelled(step)
        await cancelled(dying)


def _wiring(spec: CellSpec, inside: Inside, tokens: Tokens) -> Wiring:
    # Where cells are separated, each has ports of its own, or what passes for them.
    own_network = spec.sandbox.mode.separates
    return Wiring(
        gateway_token=tokens.gateway,
        meter_token=tokens.meter,
        tools_token=tokens.tools,
        tools_port=config.TOOLS_PORT if own_network else free_port(),
        gateway_port=config.GATEWAY_PORT if own_network else free_port(),
        meter_port=config.METER_PORT if own_network else free_port(),
        home=inside.home,
    )


def _write_config(spec: CellSpec, place: CellPaths, wiring: Wiring) -> None:
    path = place.state / config.CONFIG_FILE
    tools = [one.tool for one in spec.tools]
    wanted = config.openclaw_config(wiring, spec.models, spec.default_model, tools)
    path.write_text(json.dumps(wanted))
    path.chmod(0o600)
    place.give(path, spec.sandbox.mode)


def _last_lines(process: CellProcess) -> str:
    return " / ".join(list(process.lines)[-LINES_SHOWN:])
