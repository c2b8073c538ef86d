"""What plays the companies on a laptop, each in its container."""

import os
import re
from pathlib import Path

import pytest

from embedded.ports import free_port
from embedded.stores import is_listening
from tests.containers import images, tools
from tests.containers.oci import Service
from tests.containers.runc import Container
from tests.house import wait_for

PORT = re.compile(r"\b80(25|26|90|91|92|93)\b")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", ["demo", "mailbox", "stripe", "google", "example-web"])
def test_it_listens_and_ends_when_told(name: str, tmp_path: Path) -> None:
    lacking = tools.missing()
    image = None if lacking else images.built("standins")
    if image is None:
        pytest.skip(lacking or "Not built: python -m tests.containers standins")
    ports: dict[str, int] = {}

    def own(found: re.Match[str]) -> str:
        return str(ports.setdefault(found[0], free_port()))

    says = Service(name, {}).says
    command = [PORT.sub(own, word).replace("0.0.0.0", "127.0.0.1") for word in says["command"]]
    data = tmp_path / "data"
    data.mkdir()
    # An engine gives a new volume to whom the image gave the folder.
    os.chown(data, image.user, -1)
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o711)
    volumes = {"/data": data} if says.get("volumes") else {}
    variables = dict.fromkeys(says.get("environment", {}), "a-secret-of-one-machine")
    container = Container(Service(name, variables, volumes, command), image, tmp_path)
    try:
        wait_for(
            lambda: not container.is_alive or all(map(is_listening, ports.values())),
            f"{name} to listen",
        )
        assert container.stop() == 0, container.said
    finally:
        container.end()
