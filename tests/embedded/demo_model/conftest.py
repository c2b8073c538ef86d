"""One demo model for all tests of a process: it keeps nothing that they could disturb."""

from collections.abc import Generator

import pytest

from tests.embedded.demo_model.served import Served, served


@pytest.fixture(scope="session")
def demo() -> Generator[Served]:
    """A demo model that obeys scripts and records what it is asked."""
    with served("--pause-ms", "0", "--scriptable", "--record") as running:
        yield running
