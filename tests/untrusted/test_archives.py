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


@pytest.mark.parametrize("name", ["files/a\nb", "files/../../x", "Files/README.TXT", "/etc/passwd"])
def test_what_is_not_wanted_may_be_called_anything(name: str) -> None:
    whole = packed({**FILES, "files/readme.txt": b"x", name: bytes(3 * 1024**2)})
    found = archives.read(whole, owner="ada")
    assert not [path for path, _ in found.files if path in name]
    assert found.conversations


@pytest.mark.parametrize("name", ["workspace/a\u202eb", "workspace/\u200fa", "workspace/a\x85b"])
def test_a_name_that_reads_as_another_is_refused(name: str) -> None:
    with pytest.raises(UnusableArchive) as refused:
        archives.read(packed({name: b"x"}), owner="ada")
    assert refused.value.fault == "odd_names"
