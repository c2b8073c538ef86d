"""What the product's own tools do, for the person whose turn runs and for nobody else."""

from collections.abc import Mapping

from agent.tools.registry import Handler
from tasks.worker.tools import changing, history, lists, product_help, reminders, spending
from tasks.worker.tools.access import in_turn

HANDLERS: Mapping[str, Handler] = {
    "remind": in_turn(reminders.remind),
    "reminders": in_turn(reminders.list_all),
    "cancel_reminder": in_turn(reminders.cancel),
    "change_reminder": in_turn(changing.change),
    "lists": in_turn(lists.use),
    "nothing_to_tell": in_turn(reminders.keep_silent),
    "product_help": in_turn(product_help.read),
    "search_history": in_turn(history.search),
    "spending": in_turn(spending.report),
}
