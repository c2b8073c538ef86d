"""What admins read when something is refused on their pages, by the code of the refusal."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "account_of_an_admin": marked(
        "This account is an administrator's. An owner has to look at it."
    ),
    "admins_are_not_deleted": marked("This account is an administrator's. That has to end first."),
    "already_decided": marked("This was decided before, or the time for it is over."),
    "already_in_that_state": marked("The account is in that state already."),
    "already_verified": marked("This address is verified already."),
    "bad_invitation": marked(
        "An invitation needs a name, 1 to %(most)s uses, and at most 365 days."
    ),
    "bad_subject": marked(
        "Please type a network such as 203.0.113.0/24, a domain such as example.org, or the address"
        " or id of a user."
    ),
    "bad_switches": marked(
        "Something does not fit: the margin is 30 to 50, free credit at most $20.00, and numbers"
        " are whole."
    ),
    "deletion_begun": marked("This account is being deleted already."),
    "deletion_ordered": marked("This account is to be deleted already."),
    "files_in_use": marked("An answer is being written just now. Please try again in a minute."),
    "more_than_shown": marked(
        "More messages fit by now than the number that was shown. Look at it once more."
    ),
    "newest_already": marked("These are the newest files already."),
    "no_cell": marked("No worker has a cell of theirs just now."),
    "no_deletion_ordered": marked("This account is not to be deleted."),
    "no_limits": marked("They have set no limits of their own."),
    "no_model_left": marked("At least one model has to stay on."),
    "no_such_model": marked("The default has to be a model that is on."),
    "no_such_scope": marked("Please choose from the list what to pause."),
    "nobody_waits": marked("Nobody waits for an invitation."),
    "not_at_work": marked("This worker is draining already, or has stopped."),
    "not_confirmed": marked("Please tick the box to confirm it."),
    "not_enough_to_take": marked(
        "The account has %(available)s that can be taken. Choose a smaller amount."
    ),
    "not_of_this_role": marked("Your role does not allow this. An owner can do it."),
    "not_shown": marked("Please look at the number of messages first."),
    "nothing_in_bulk": marked("No message fits that this could be done to."),
    "nothing_switched": marked("That is so already: nothing would change."),
    "nothing_to_adjust": marked(
        "Please write an amount above zero and below ten million, like 12.50. To lower a balance,"
        " choose to take credits."
    ),
    "nothing_to_refund": marked(
        "Nothing of this payment can go back, or this is no amount in whole cents."
    ),
    "own_admin_account": marked(
        "This account is your own. Another administrator has to look at it."
    ),
    "own_request": marked("You asked for this yourself. Another owner has to approve it."),
    "promised_too_much": marked(
        "One administrator may promise %(most)s of credit in 24 hours, and not more."
    ),
    "refund_too_large": marked("Only %(left)s are left of this payment."),
    "rule_over": marked("This is not on the list any more."),
    "still_listed": marked(
        "This account is on the list of those who are held or blocked. Please take it off there"
        " first."
    ),
    "switches_changed": marked(
        "Another administrator changed the switches meanwhile. Look at them once more."
    ),
    "too_many_in_bulk": marked("More than %(most)s messages fit. Please narrow it down."),
    "too_many_pauses": marked("There are too many pauses already. End some first."),
}
