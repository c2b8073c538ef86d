"""What the product's own tools do, for the person whose turn runs and for nobody else."""

from collections.abc import Mapping

from actions.web import searching
from agent.tools.registry import Handler
from tasks.worker.tools import (
    changing,
    files,
    history,
    lists,
    memory,
    product_help,
    reading,
    reminders,
    spending,
    web_search,
)
from tasks.worker.tools.access import in_turn
from tasks.worker.tools.conversation_web import recalling

HANDLERS: Mapping[str, Handler] = {
    "remind": recalling(reminders.remind),
    "reminders": in_turn(reminders.list_all),
    "cancel_reminder": in_turn(reminders.cancel),
    "change_reminder": recalling(changing.change),
    "lists": in_turn(lists.use),
    "nothing_to_tell": in_turn(reminders.keep_silent),
    "remember": in_turn(memory.remember),
    "forget": in_turn(memory.forget),
    "product_help": in_turn(product_help.read),
    "search_history": in_turn(history.search),
    "spending": in_turn(spending.report),
    "hand_over": files.hand_over,
    "web_search": web_search.search,
    "read_page": reading.read_page,
}
# Only where somebody searches: an address alone comes seldom.
OF_THE_WEB = {"web_search", "read_page"}


def offered_handlers() -> Mapping[str, Handler]:
    """Return what can be done with the settings as they are, by the tools' names."""
    if searching.is_offered():
        return HANDLERS
    return {name: handler for name, handler in HANDLERS.items() if name not in OF_THE_WEB}
