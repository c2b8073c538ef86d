"""The lists of the user whose turn runs."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import cast

from agent.tools.registry import Arguments
from gateways import values
from gateways.values import BadValue
from models import lists
from models.schema.lists import ListItem
from tasks.worker.tools.access import Caller

MOST_AT_ONCE = 50
DEFAULT = "shopping"


def use(caller: Caller, given: Arguments) -> str:
    """Do with a list what `do` says, and answer with what stands on it then."""
    do = DONE.get(str(given.get("do")))
    if do is None:
        raise BadValue
    name = values.line(given.get("list") or DEFAULT, most=lists.NAME_MAX_LENGTH, least=1)
    return do(caller, name, _words(given.get("items")))


def _add(caller: Caller, name: str, words: Sequence[str]) -> str:
    lists.add(caller.db, caller.user.id, name, words)
    return _show(caller, name, words)


def _tick(caller: Caller, name: str, words: Sequence[str]) -> str:
    ticked = lists.tick_words(caller.db, caller.user.id, name, words)
    return f"Ticked off: {ticked}.\n{_show(caller, name, words)}"


def _clear(caller: Caller, name: str, _words: Sequence[str]) -> str:
    lists.clear(caller.db, caller.user.id, name)
    return f"The list {lists.named(name)} is empty."


def _show(caller: Caller, name: str, _words: Sequence[str]) -> str:
    return _written(lists.show(caller.db, caller.user.id, name)) or "Nothing is on this list."


def _show_all(caller: Caller, _name: str, _words: Sequence[str]) -> str:
    return _written(lists.show(caller.db, caller.user.id)) or "There are no lists."


def _written(items: Sequence[ListItem]) -> str:
    lines: list[str] = []
    for name, group in groupby(items, lambda item: item.list_name):
        lines.append(f"{name}:")
        lines += [f"- [{'x' if item.done_at else ' '}] {item.words}" for item in group]
    return "\n".join(lines)


def _words(given: object) -> list[str]:
    if not given:
        return []
    found = cast(list[object], given) if isinstance(given, list) else [given]
    if len(found) > MOST_AT_ONCE:
        raise BadValue
    return [values.line(one, most=lists.WORDS_MAX_LENGTH, least=1) for one in found]


DONE: Mapping[str, Callable[[Caller, str, Sequence[str]], str]] = {
    "add": _add,
    "tick": _tick,
    "show": _show,
    "show_all": _show_all,
    "clear": _clear,
}
