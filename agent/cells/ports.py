"""The sockets by which a cell asks us for something: for models, and for the product's tools."""

import secrets

from agent.cells.boot.spec import CellSpec
from agent.cells.host.cell_paths import CellPaths
from agent.cells.io.sockets import CellSockets
from agent.files import CellFiles
from agent.meter.server import MeterPort
from agent.tools.server import ToolPort
from agent.workspace_files import WorkspaceReader


class CellPorts:
    """Both of one cell. They are opened once, as it boots, and closed when it ends."""

    def __init__(
        self, spec: CellSpec, place: CellPaths, sockets: CellSockets, files: CellFiles
    ) -> None:
        self._spec, self._place = spec, place
        self._sockets, self._files = sockets, files
        self._meter: MeterPort | None = None
        self._tools: ToolPort | None = None

    @property
    def meter(self) -> MeterPort:
        if self._meter is None:
            raise RuntimeError("The cell was never booted.")
        return self._meter

    @property
    def tools(self) -> ToolPort:
        if self._tools is None:
            raise RuntimeError("The cell was never booted.")
        return self._tools

    async def open(self) -> tuple[str, str]:
        """Listen at both; return the tokens that they ask for, the meter's and the tools'."""
        token = secrets.token_urlsafe(32)
        self._meter = await self._spec.meter.listen(self._sockets.meter, token)
        self._place.give(self._sockets.meter, self._spec.sandbox.mode)
        return token, await self._open_tools()

    async def _open_tools(self) -> str:
        token = secrets.token_urlsafe(32)
        home = self._spec.sandbox.inside(self._place, self._spec.engine).home
        most_bytes = self._spec.settings.handed_over_max_bytes
        reader = WorkspaceReader(self._files, home, most_bytes)
        self._tools = ToolPort(self._sockets.tools, token, self._spec.tools, reader.read)
        await self._tools.listen()
        self._place.give(self._sockets.tools, self._spec.sandbox.mode)
        return token

    async def close(self) -> None:
        """Close what was opened; calls under way are cut and settled."""
        if self._meter is not None:
            await self._meter.close()
        if self._tools is not None:
            await self._tools.close()
