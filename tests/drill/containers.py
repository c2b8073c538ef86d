"""Workers in containers, as compose.yaml has them, and what a scheduler of containers does to them.

Everything else of the stack runs beside them, as it does without containers.
"""

import shlex
import shutil
import signal
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from embedded.process import Program
from embedded.stack import Stack
from tests.containers import borrowed
from tests.containers.oci import of_a_stack
from tests.containers.runc import Bundle
from tests.drill.plan import Kind
from tests.drill.workers import Workers, pid_of

SERVICE = "worker"
LEAST, MOST = 1, 3
# Longer than a worker takes to drain.
STOP_SECONDS = 60.0


class ContainerStack(Stack):
    """The whole product, each worker of it in a container; one that ended in order is gone."""

    def __init__(self, data_dir: Path, *, settings: Mapping[str, str]) -> None:
        super().__init__(data_dir, settings=settings)
        self._folder = Path(tempfile.mkdtemp(prefix="containers-"))
        # Users of containers pass through it.
        self._folder.chmod(0o711)
        self._image = borrowed.here()[SERVICE]
        self.bundles: dict[str, Bundle] = {}
        # Noted first, it is done last.
        self._undo.callback(self._clear)

    def _clear(self) -> None:
        for bundle in self.bundles.values():
            bundle.forget()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _worker(self, name: str) -> Program:
        service = of_a_stack(SERVICE, self.environment(), self._folder)
        bundle = self.bundles[name] = Bundle(service, self._image, self._folder)
        # What is left of one that was killed has its name.
        again = f"{shlex.join(bundle.runc('delete', '--force', bundle.id))} 2>/dev/null; exec "
        return Program(
            name=name,
            command=("/bin/sh", "-c", again + shlex.join(bundle.running())),
            environment={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            directory=bundle.path,
            stop_seconds=STOP_SECONDS,
            is_task=True,
        )


class ContainerWorkers(Workers):
    """Workers in containers, of which there may be more or fewer as the drill goes on."""

    def __init__(self, stack: ContainerStack) -> None:
        super().__init__(stack)
        self._containers = stack
        self._ending: set[str] = set()

    def names(self) -> list[str]:
        """List those that nobody has asked to end."""
        return [name for name in super().names() if name not in self._ending]

    def acts(self) -> dict[Kind, Callable[[int], object]]:
        """Return what can be done to them, what a scheduler does among it."""
        more: dict[Kind, Callable[[int], object]] = {
            Kind.SCALE_OUT: self.scale_out,
            Kind.SCALE_IN: self.scale_in,
            Kind.REDEPLOY: self.redeploy,
        }
        return {**super().acts(), **more}

    def kill(self, turn: int) -> None:
        """Kill a container: its worker and all cells of it at once. Another one is started."""
        name = self._one(turn)
        pid_of(self._containers, name)
        self._containers.bundles[name].send(signal.SIGKILL)

    def end(self, turn: int) -> None:
        """Redeploy one: another is started, and it is asked to end."""
        name = self._one(turn)
        pid_of(self._containers, name)
        self._containers.add_worker()
        self._retire(name)

    def scale_out(self, _: int) -> None:
        """Start one more. Raises LookupError when there are as many as there may be."""
        if len(self) >= MOST:
            raise LookupError("room")
        self._containers.add_worker()

    def scale_in(self, turn: int) -> None:
        """Ask one to end, with none in its place. Raises LookupError when it is the last."""
        if len(self) <= LEAST:
            raise LookupError("a worker to spare")
        name = self._one(turn)
        pid_of(self._containers, name)
        self._retire(name)

    def redeploy(self, _: int) -> None:
        """Replace all that there are by as many others, which come first."""
        old = self.names()
        while len(self) < 2 * len(old):
            self._containers.add_worker()
        for name in old:
            self._retire(name)

    def _retire(self, name: str) -> None:
        self._ending.add(name)
        self._containers.bundles[name].send(signal.SIGTERM)
