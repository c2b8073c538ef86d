"""Files in a real S3 server."""

import pytest

from gateways.s3_files import NotStored, Storage, StorageFailed
from models.base import new_id
from settings import Settings


def test_what_was_put_comes_back_byte_for_byte(storage: Storage) -> None:
    key = f"things/{new_id()}"
    storage.put(key, b"\x00\xffbytes", "text/plain")
    assert storage.get(key) == b"\x00\xffbytes"

    storage.put(key, b"newer")
    assert storage.get(key) == b"newer"


def test_a_missing_key_is_said_to_be_missing(storage: Storage) -> None:
    with pytest.raises(NotStored):
        storage.get(f"things/{new_id()}")


def test_deleting_removes_one_key_and_forgives_a_second_time(storage: Storage) -> None:
    kept, gone = f"pair/{new_id()}", f"pair/{new_id()}"
    storage.put(kept, b"1")
    storage.put(gone, b"2")
    storage.delete(gone)
    storage.delete(gone)

    found = storage.list("pair/")
    assert kept in found
    assert gone not in found


def test_a_wrong_key_is_refused(settings: Settings, storage: Storage) -> None:
    storage.check()
    stranger = settings.model_copy(update={"s3_secret_access_key": settings.secret_key})
    with pytest.raises(StorageFailed):
        Storage(stranger).check()
