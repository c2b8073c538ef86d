"""What is exported here is taken when it is brought, whatever its files are called."""

import io
import zipfile
from collections.abc import Iterable

import pytest
from sqlalchemy.orm import Session

from actions.archives import writing
from actions.archives.names import PART_BYTES, Names
from agent.files import CellFile
from agent.state import BLANK, Restored
from gateways.s3_files import Storage
from models import jobs
from models.schema.uploads import SentFile
from models.schema.users import User
from tests import factories
from untrusted import archives

LOG = b"2026-01-01 00:00:00 INFO ok\n" * 80_000


def _written(user: User, storage: Storage, files: Iterable[tuple[str, bytes]]) -> bytes:
    found = tuple(CellFile(f"workspace/{path}", data) for path, data in files)
    made = io.BytesIO()
    writing.write(user.id, Restored(found, {}, BLANK.state), storage, made)
    return made.getvalue()


def _sent(db: Session, user: User, storage: Storage, name: str, data: bytes) -> None:
    key = f"uploads/{user.id}/{name}"
    storage.put(key, data)
    file = SentFile(name, "text/plain", len(data), key)
    jobs.ask(db, factories.conversation(db, user), "Look", model=factories.MODEL, files=[file])
    db.commit()


@pytest.mark.parametrize(
    "name",
    [
        "family \U0001f468\u200d\U0001f469\u200d\U0001f467.jpg",
        "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645.pdf",
        "dot\u00adted.txt",
        "Bildschirmfoto 10.15\u202fPM.png",
    ],
)
def test_what_joins_letters_is_part_of_a_name(
    db: Session, ada: User, storage: Storage, name: str
) -> None:
    _sent(db, ada, storage, name, b"x")
    whole = _written(ada, storage, [(f"uploads/0a1b2c3d-0-{name}", b"y")])
    (file,) = (one for one in archives.read(whole, owner="ada").files if "uploads" in one[0])
    assert file == (f"uploads/0a1b2c3d-0-{name}", b"y")


def test_what_repeats_itself_is_no_bomb(db: Session, ada: User, storage: Storage) -> None:
    _sent(db, ada, storage, "server.log", LOG)
    whole = _written(ada, storage, [("uploads/server.log", LOG), ("plan.md", b"1")])
    assert dict(archives.read(whole, owner="ada").files)["uploads/server.log"] == LOG
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        packed = {one.filename: one.compress_size for one in archive.infolist()}
    # What an import never reads is packed as small as it can be.
    (sent,) = (name for name in packed if name.startswith("files/"))
    assert packed[sent] < len(LOG) / 100


def test_names_of_the_workspace_are_made_ones_that_are_taken(
    db: Session, ada: User, storage: Storage
) -> None:
    odd = ["Plan.md", "plan.md", "plan (2).md", "a\nb", "c\\d", "\u202etxt.exe", "e" * 240]
    whole = _written(ada, storage, [(path, path.encode()) for path in odd])
    found = dict(archives.read(whole, owner="ada").files)
    assert sorted(data for path, data in found.items() if path != "AGENTS.md") == sorted(
        path.encode() for path in odd
    )
    assert {"Plan.md", "plan (2).md", "ab", "c_d", "txt.exe"} <= set(found)
    assert db.is_active


def test_a_name_that_is_taken_gets_a_number() -> None:
    names = Names()
    given = ["a/B.md", "a/b.md", "A/b.MD", "a/\u00e9", "a/e\u0301", "d/" * 30 + "x", "x" * 300]
    taken = [names.take(one) for one in given]
    assert taken[:5] == ["a/B.md", "a/b (2).md", "A/b (3).MD", "a/\u00e9", "a/\u00e9 (2)"]
    assert taken[5].count("/") == 19
    assert len(taken[6]) == PART_BYTES
    assert len(names.take("x" * 300)) == PART_BYTES


def test_a_long_ending_leaves_room_for_a_number() -> None:
    names = Names()
    taken = [names.take(f"{letter}.{'b' * 197}") for letter in "xX"]
    assert len({one.casefold() for one in taken}) == 2
    assert max(len(one) for one in taken) <= PART_BYTES
