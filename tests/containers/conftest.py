"""The product in containers, on stores that run on this machine."""

from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from embedded.ports import free_port
from embedded.stack import Services
from settings import PROJECT_DIR
from tests.containers import tools
from tests.containers.borrowed import here
from tests.containers.images import Image
from tests.containers.oci import Service, of_a_stack
from tests.containers.runc import Container
from tests.house import SETTINGS as IMPATIENT

# A worker that is asked to end has the time for a turn, on a busy machine too.
OWN = {"CELLS_PER_WORKER": "3", "WORKER_DRAIN_SECONDS": "60"}


class Town:
    """Containers side by side, as compose.yaml starts them, and the stores that they share."""

    def __init__(self, folder: Path, services: Services, images: Mapping[str, Image]) -> None:
        self._folder = folder
        self._images = images
        self.bind = f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.bind}"
        self._variables = services.environment()
        self._ending = ExitStack()
        self.containers: dict[str, Container] = {}

    def environment(self) -> dict[str, str]:
        return dict(self._variables)

    def start(self, name: str, *, as_well: str = "", **changes: str) -> Container:
        """Start a service of compose.yaml; `as_well` tells a second one of it apart."""
        image = self._images["worker" if name == "worker" else "web"]
        own = {**IMPATIENT, **OWN, "PUBLIC_URL": self.url, **changes}
        command = ["web", self.bind] if name == "web" else None
        service = of_a_stack(name, {**self._variables, **own}, self._folder, command)
        container = Container(service, image, self._folder)
        self._ending.callback(container.end)
        self.containers[name + as_well] = container
        return container

    def close(self) -> None:
        self._ending.close()


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Generator[Town]:
    """Stores without a table in them, and nothing started; installs what runs containers."""
    if lacking := tools.missing_to_run():
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp("containers")
    # Users of containers pass through it.
    folder.chmod(0o711)
    of_targets = here()
    if why := _why_none_runs(of_targets["web"], folder):
        pytest.skip(why)
    with Services.for_one_run(PROJECT_DIR / ".test-data" / "of-containers") as services:
        town = Town(folder, services, of_targets)
        yield town
        town.close()


def _why_none_runs(image: Image, folder: Path) -> str:
    """Say why this machine lets runc run nothing at all; "" when it does."""
    container = Container(Service("migrate", {}), replace(image, entrypoint=["true"]), folder)
    try:
        return "" if container.wait() == 0 else f"runc runs nothing here: {container.said[-500:]}"
    finally:
        container.end()
