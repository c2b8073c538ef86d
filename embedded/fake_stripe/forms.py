"""Reads what Stripe's clients send: `a[b][0]=c` becomes `{"a": {"b": ["c"]}}`."""

import re
from collections.abc import Iterable
from typing import Any, cast

Body = dict[str, Any]
STEPS = re.compile(r"[^\[\]]+")


def decode(pairs: Iterable[tuple[str, str]]) -> Body:
    """Nest the fields of a form; numbers in brackets make lists."""
    nested: Body = {}
    for name, value in pairs:
        *outer, last = STEPS.findall(name)
        at = nested
        for step in outer:
            at = at.setdefault(step, {})
        at[last] = value
    return cast(Body, _with_lists(nested))


def _with_lists(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    inner = {name: _with_lists(one) for name, one in cast(Body, value).items()}
    if inner and all(name.isdigit() for name in inner):
        return [inner[name] for name in sorted(inner, key=int)]
    return inner
