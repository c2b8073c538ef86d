"""What the next cell of a worker is made of: the engine that is installed, and what it may use."""

from collections.abc import Sequence

from agent import catalogue, context, engine
from agent.catalogue import Model
from agent.cells.boot.spec import CellSpec
from agent.cells.host.cgroups import Cgroups
from agent.cells.host.sandbox import Sandbox
from agent.meter.server import Meter
from agent.prices import Prices
from agent.tools.registry import OfferedTool
from settings import Settings


class Specs:
    """Finds it anew when the engine has changed; cells that are made already stay as they are."""

    def __init__(
        self,
        settings: Settings,
        sandbox: Sandbox | None,
        groups: Cgroups | None,
        prices: Prices,
        tools: Sequence[OfferedTool],
    ) -> None:
        self._settings = settings
        self._sandbox, self._groups = sandbox, groups
        self._prices, self._tools = prices, tuple(tools)
        self.meter = Meter(settings, prices)
        self._spec: CellSpec | None = None

    def find(self) -> CellSpec | None:
        """Return what cells are made of, or None while there is no engine, model or sandbox."""
        found = engine.find(self._settings)
        models = catalogue.models(self._settings)
        if found is None or not models or self._sandbox is None:
            return None
        if self._spec is None or self._spec.engine != found:
            default = catalogue.default(self._settings)
            bounded = tuple(map(self.bounded, models))
            self._spec = CellSpec(
                self._settings,
                self._sandbox,
                found,
                self.meter,
                bounded,
                default,
                self._groups,
                self._tools,
            )
        return self._spec

    def bounded(self, model: Model) -> Model:
        """Return a model with no more context than a message may cost."""
        return context.bounded(model, self._prices, self._settings.message_limit_micros)
