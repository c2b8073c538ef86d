"""What a worker makes its cells of."""

from dataclasses import dataclass

from agent.catalogue import Model
from agent.cells.host.cgroups import Cgroups
from agent.cells.host.sandbox import Sandbox
from agent.engine import Engine
from agent.meter.server import Meter
from agent.tools.registry import OfferedTool
from settings import Settings


@dataclass(frozen=True)
class CellSpec:
    """The same for all cells that boot at a time; an upgrade of the engine makes a new one."""

    settings: Settings
    sandbox: Sandbox
    engine: Engine
    meter: Meter
    models: tuple[Model, ...]
    default_model: Model
    # None where the system lets us bound no cell's memory; then the pool watches it.
    groups: Cgroups | None = None
    # The product's own, and what does them.
    tools: tuple[OfferedTool, ...] = ()

    @property
    def memory_limit_bytes(self) -> int:
        """What a cell's processes together may take before the cell is ended."""
        return self.settings.cell_memory_limit_mb * 1024 * 1024
