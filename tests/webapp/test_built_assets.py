"""What is built is committed, and is what its sources say."""

import json
from hashlib import sha256

import pytest

from settings import PROJECT_DIR

MANIFEST = json.loads((PROJECT_DIR / "assets" / "manifest.json").read_text())
BUILT = ("vendor", "fonts", "icons")


@pytest.mark.parametrize("kind", ["sources", "made"])
def test_nothing_was_changed_without_building_anew(kind: str) -> None:
    changed = [
        name
        for name, known in MANIFEST[kind].items()
        if sha256((PROJECT_DIR / name).read_bytes()).hexdigest() != known
    ]
    assert not changed, f"run `make css`: {changed}"


def test_everything_that_is_built_is_in_the_manifest() -> None:
    static = PROJECT_DIR / "webapp" / "static"
    files = [path for folder in BUILT for path in (static / folder).rglob("*") if path.is_file()]
    assert {str(path.relative_to(PROJECT_DIR)) for path in files} <= set(MANIFEST["made"])
