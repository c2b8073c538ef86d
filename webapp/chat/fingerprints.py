"""Names what a page is drawn from, whole: so nothing that it comes to show can be forgotten."""

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from hashlib import sha256
from typing import cast

from models.base import Base


def fingerprint(*shown: object) -> str:
    """Return the same word for as long as nothing of what is shown has changed."""
    return sha256(repr([facts(one) for one in shown]).encode()).hexdigest()[:32]


def facts(value: object) -> object:
    """Take a view apart into what is told by `repr` alone: rows by all that was read of them.

    Of a dataclass a field that is not compared is left out: it differs each time, and says nothing.
    """
    if isinstance(value, Base):
        row = sorted(vars(value).items())
        return [(name, facts(one)) for name, one in row if name != "_sa_instance_state"]
    if is_dataclass(value) and not isinstance(value, type):
        return [facts(getattr(value, field.name)) for field in fields(value) if field.compare]
    if isinstance(value, tuple) and hasattr(cast(object, value), "_fields"):
        # A named tuple holds plain values, of which `repr` leaves nothing out, and fast.
        return cast(object, value)
    if isinstance(value, Mapping):
        pairs = cast(Mapping[object, object], value)
        return [(facts(key), facts(one)) for key, one in pairs.items()]
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return [facts(one) for one in cast(Iterable[object], value)]
    return value
