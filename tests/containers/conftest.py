"""The product in containers, on stores that run on this machine."""

import tempfile
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from embedded.ports import free_port
from embedded.stack import Services
from settings import PROJECT_DIR
from tests.containers import images, tools
from tests.containers.oci import Service
from tests.containers.runc import Container
from tests.house import SETTINGS as IMPATIENT

TAKEN_FROM_IMAGE = frozenset({"ENGINE_DIR", "NODE_PATH", "CELLS_DIR"})
OWN = {"CELLS_PER_WORKER": "3"}


class Town:
    """Containers side by side, as compose.yaml starts them, and the stores that they share."""

    def __init__(self, folder: Path, services: Services) -> None:
        self._folder = folder
        self.bind = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.bind}"
        self._variables = services.environment()
        self._ending = ExitStack()
        self.containers: dict[str, Container] = {}

    def environment(self) -> dict[str, str]:
        return dict(self._variables)

    def start(self, name: str, *, as_well: str = "", **changes: str) -> Container:
        """Start a service of compose.yaml; `as_well` tells a second one of it apart."""
        target = "worker" if name == "worker" else "web"
        image = images.built(target)
        assert image is not None
        says = Service(name, {}).says
        own = {"SANDBOX": says["environment"].get("SANDBOX", "jail")}
        given = {key: self._variables[key] for key in self._variables.keys() - TAKEN_FROM_IMAGE}
        variables = {**given, **IMPATIENT, **OWN, **own, "PUBLIC_URL": self.url, **changes}
        volumes: dict[str, Path] = {}
        for volume in says.get("volumes", ()):
            target_folder = volume.partition(":")[2]
            volumes[target_folder] = Path(tempfile.mkdtemp(dir=self._folder))
            # As some engines leave it.
            volumes[target_folder].chmod(0o755)
        command = ["web", self.bind] if name == "web" else None
        service = Service(name, variables, volumes, command)
        container = Container(service, image, self._folder)
        self._ending.callback(container.end)
        self.containers[name + as_well] = container
        return container

    def close(self) -> None:
        self._ending.close()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    """Stores without a table in them, and nothing started."""
    lacking = tools.missing()
    if lacking is None and not all(images.built(target) for target in ("web", "worker")):
        lacking = "The images of this tree are not built: python -m tests.containers web worker"
    if lacking is not None:
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp("containers")
    # Users of containers pass through it.
    folder.chmod(0o711)
    with Services.for_one_run(PROJECT_DIR / ".test-data" / "of-containers") as services:
        town = Town(folder, services)
        yield town
        town.close()
