"""What admins read when something is refused on their pages, by the code of the refusal."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "nothing_switched": marked("That is so already: nothing would change."),
    "switches_changed": marked(
        "Another administrator changed the switches meanwhile. Look at them once more."
    ),
    "too_many_pauses": marked("There are too many pauses already. End some first."),
}
