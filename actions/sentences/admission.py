"""What a newcomer reads who may not begin an account, by the code of the refusal."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "invitation_needed": marked(
        "You need an invitation to begin an account just now. Or join the waiting list."
    ),
    "invitation_over": marked(
        "This invitation code is not valid (any more). Please check it for typing mistakes."
    ),
    "sign_up_blocked": marked(
        "New accounts are not taken from your network or mail provider. If that is a mistake,"
        " please write to %(support)s."
    ),
    "sign_up_closed": marked(
        "No new accounts are taken just now. Join the waiting list, and we will write to you."
    ),
    "held_for_review": marked(
        "Sending is paused on your account until somebody of ours has looked at it, usually within"
        " a day. You can read everything; write to %(support)s if it takes longer."
    ),
    "listed_as_blocked": marked(
        "Sending is closed on your account. If that is a mistake, please write to %(support)s."
    ),
}
