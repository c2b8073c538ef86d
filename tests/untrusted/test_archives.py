"""What a helper says of an archive, before anybody else looks at it."""

import pytest

from tests.archives import FILES, HOSTILE, packed
from untrusted import archives
from untrusted.archives import UnusableArchive

NAMES = [name for name, (_, faults) in HOSTILE.items() if faults == {"odd_names"}]


@pytest.mark.parametrize("name", NAMES)
def test_odd_names_are_refused_where_they_are_read(name: str) -> None:
    with pytest.raises(UnusableArchive) as refused:
        archives.read(HOSTILE[name][0], owner="ada")
    assert refused.value.fault == "odd_names"


def test_only_what_is_wanted_comes_out() -> None:
    found = archives.read(packed(), owner="ada")
    assert [title for title, _ in found.conversations] == ["Ferns"]
    assert dict(found.files) == {
        name.removeprefix("workspace/"): data
        for name, data in FILES.items()
        if name.startswith("workspace/")
    }
