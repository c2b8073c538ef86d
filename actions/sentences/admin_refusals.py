"""What admins read when something is refused on their pages, by the code of the refusal."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "bad_invitation": marked(
        "An invitation needs a name, 1 to %(most)s uses, and at most 365 days."
    ),
    "bad_subject": marked(
        "Please type a network such as 203.0.113.0/24, a domain such as example.org, or the address"
        " or id of a user."
    ),
    "nobody_waits": marked("Nobody waits for an invitation."),
    "promised_too_much": marked(
        "One administrator may promise %(most)s of credit in 24 hours, and not more."
    ),
    "rule_over": marked("This is not on the list any more."),
    "nothing_switched": marked("That is so already: nothing would change."),
    "switches_changed": marked(
        "Another administrator changed the switches meanwhile. Look at them once more."
    ),
    "too_many_pauses": marked("There are too many pauses already. End some first."),
}
