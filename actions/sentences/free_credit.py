"""Why somebody had no free credit: as they read it, and as admins do."""

from collections.abc import Mapping

from models.schema.free_credit import RefusalReason
from models.translation import gettext, marked

REFUSALS: Mapping[RefusalReason, str] = {
    RefusalReason.CLAIMED: marked(
        "The free credit is for once a person, and your mailbox has had it before."
    ),
    RefusalReason.DISPOSABLE: marked(
        "There is no free credit for addresses that anybody can have for some minutes."
    ),
    RefusalReason.BLOCKED: marked("There is no free credit for your address or network."),
    RefusalReason.NETWORK: marked(
        "The free credit has been given very often in your network this week, so there is none left"
        " for you."
    ),
    RefusalReason.HELD: marked(
        "Somebody of ours looks at new accounts like yours first, usually within a day. Your free"
        " credit comes then."
    ),
    RefusalReason.LISTED: marked("There is no free credit for your account."),
}
FOR_ADMINS: Mapping[RefusalReason, str] = {
    RefusalReason.CLAIMED: marked("The mailbox has had it before."),
    RefusalReason.DISPOSABLE: marked(
        "Anybody can have an address of this domain for some minutes."
    ),
    RefusalReason.BLOCKED: marked("The settings block the address or the network."),
    RefusalReason.NETWORK: marked("It was given too often in the network that week."),
    RefusalReason.HELD: marked("A list says that somebody is to look first."),
    RefusalReason.LISTED: marked("A list blocks the user, the network or the domain."),
}


def refusal(reason: RefusalReason) -> str:
    """Say to a user why they had none."""
    return gettext(REFUSALS[reason])


def for_admins(reason: RefusalReason) -> str:
    """Say to an admin why a user had none."""
    return gettext(FOR_ADMINS[reason])
