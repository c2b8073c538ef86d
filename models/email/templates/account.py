"""Letters about an account: who may open it, and what was changed on it."""

from datetime import datetime

from models.email.templates.content import Action, EmailContent, address_on_site
from models.money import money
from models.ops import switches
from models.schema.emails import EmailKind
from settings import get_settings

NOT_YOU = "If that was not you, choose a new one at once: “Forgot your password?” on the same page."


def sign_up(secret: str) -> EmailContent:
    """Ask a newcomer whether this address is theirs; their account begins with that."""
    return _welcome(EmailKind.SIGN_UP, address_on_site("/signup/confirmation", token=secret))


def sign_up_known() -> EmailContent:
    """Tell somebody who has an account that a new one was asked for with their address."""
    name = get_settings().product_name
    return EmailContent(
        EmailKind.SIGN_UP_KNOWN,
        subject=f"You already have a {name} account",
        title="You already have an account",
        words=(
            "Somebody, probably you, has just tried to sign up with this address.",
            "There is no need to: log in, and all your conversations are there.",
            f"Forgot your password? Choose a new one at {address_on_site('/password/reset')}",
        ),
        action=Action("Log in", address_on_site("/login")),
        small_print=("It was not you? Then ignore this mail: nothing has changed.",),
    )


def verification(secret: str) -> EmailContent:
    """Ask somebody who has an account whether its address is theirs."""
    return _welcome(EmailKind.VERIFICATION, address_on_site("/verification", token=secret))


def _welcome(kind: EmailKind, link: str) -> EmailContent:
    settings = get_settings()
    grant = switches.last_read().sign_up_grant_micros
    gift = f" and {money(grant)} of credit is yours to try it" if grant else ""
    return EmailContent(
        kind,
        subject="Confirm your e-mail address",
        title=f"Welcome to {settings.product_name}",
        words=(f"Your assistant is ready. Confirm that this address is yours{gift}.",),
        action=Action("Confirm my address", link),
        small_print=(
            "The link works once, within two days.",
            "You did not sign up? Then ignore this mail, and nothing more will come.",
        ),
    )


def password_reset(secret: str) -> EmailContent:
    """Let somebody who forgot their password choose a new one."""
    return EmailContent(
        EmailKind.PASSWORD_RESET,
        subject="Choose a new password",
        title="Choose a new password",
        words=(
            "Somebody, probably you, has forgotten the password that belongs to this address.",
            "Here you can choose a new one.",
        ),
        action=Action("Choose a new password", address_on_site("/password/new", token=secret)),
        small_print=(
            "The link works once, within an hour.",
            "It was not you? Then ignore this mail: your password stays as it is.",
        ),
    )


def password_changed(google_address: str = "", *, is_reset: bool) -> EmailContent:
    """Tell that a password was changed, and what opens the account or reads from it besides."""
    also = f", or your Google account {google_address}" if google_address else ""
    outside = (
        "Messengers that were linked are linked no more, and a link for your calendar has ended."
        " In the settings you can set up both anew."
        if is_reset
        else "Messengers that are linked stay so, and so does a link for your calendar."
        " In the settings you see them, and can end them."
    )
    return EmailContent(
        EmailKind.PASSWORD_CHANGED,
        subject="Your password was changed",
        title="Your password was changed",
        words=(
            f"From now on only the new one opens your account{also}.",
            "Every other browser that was logged in has been logged out.",
            outside,
        ),
        action=Action("Log in", address_on_site("/login")),
        small_print=(NOT_YOU,),
    )


def address_change(secret: str) -> EmailContent:
    """Ask whether this new address is the person's."""
    return EmailContent(
        EmailKind.ADDRESS_CHANGE,
        subject="Confirm your new e-mail address",
        title="Is this your new address?",
        words=(
            "Confirm it, and from then on you log in with this address.",
            "Until you do, the old one stays.",
        ),
        action=Action("Confirm the new address", address_on_site("/address", token=secret)),
        small_print=(
            "The link works once, within a day, in the browser in which you asked for it.",
            "You did not ask for this? Then ignore this mail, and nothing changes.",
        ),
    )


def address_change_asked(new_address: str, undo_secret: str) -> EmailContent:
    """Tell the address of an account that another one was asked for, and let its owner undo it."""
    return EmailContent(
        EmailKind.ADDRESS_CHANGE_ASKED,
        subject="A new e-mail address for your account",
        title="Is this you?",
        words=(
            f"Somebody with your password wants to log in with {_veiled(new_address)} from now on.",
            "If it was you, open the link that we sent there. If not, undo it here.",
            "Then everybody is logged out, and you choose a new password.",
        ),
        action=_undoing(undo_secret),
        small_print=("The link works for seven days, also after the address has changed.",),
    )


def address_changed(new_address: str, undo_secret: str) -> EmailContent:
    """Tell the old address that it is no longer the account's, and let its owner undo it."""
    return EmailContent(
        EmailKind.ADDRESS_CHANGED,
        subject="Your e-mail address was changed",
        title="Your e-mail address was changed",
        words=(
            f"You now log in with {_veiled(new_address)}.",
            "This address no longer opens your account, and this is the last mail to it.",
            "If that was not you, undo it here.",
            "Then everybody is logged out, and you choose a new password.",
        ),
        action=_undoing(undo_secret),
        small_print=("The link works for seven days.",),
    )


def google_connection(secret: str, google_address: str) -> EmailContent:
    """Ask the owner of an account whether a Google account is theirs as well."""
    name = get_settings().product_name
    return EmailContent(
        EmailKind.GOOGLE_CONNECTION,
        subject="Connect your Google account",
        title="Is this Google account yours?",
        words=(
            f"Somebody, probably you, wants to log in to {name} as {google_address} at Google.",
            "You have an account with this address already. Connect the two, and Google opens it.",
        ),
        action=Action(
            "Connect Google", address_on_site("/login/google/confirmation", token=secret)
        ),
        small_print=(
            "The link works once, within an hour, in the browser in which you asked for it.",
            "It was not you? Then ignore this mail: nothing changes.",
        ),
    )


def google_connected(google_address: str) -> EmailContent:
    """Tell that a Google account opens the account from now on."""
    return EmailContent(
        EmailKind.GOOGLE_CONNECTED,
        subject="Google was connected to your account",
        title="Google is connected",
        words=(f"The Google account {google_address} opens your account from now on.",),
        action=Action("See your settings", address_on_site("/settings")),
        small_print=(
            "If that was not you, disconnect it in the settings and choose a new password at once.",
        ),
    )


def google_disconnected(google_address: str) -> EmailContent:
    """Tell that a Google account no longer opens the account."""
    return EmailContent(
        EmailKind.GOOGLE_DISCONNECTED,
        subject="Google was disconnected from your account",
        title="Google is disconnected",
        words=(
            f"The Google account {google_address} no longer opens your account.",
            "You log in with your address and your password.",
        ),
        action=Action("See your settings", address_on_site("/settings")),
        small_print=(NOT_YOU,),
    )


def two_factor_changed(*, is_on: bool) -> EmailContent:
    """Tell that signing in asks for a code from now on, or no longer does."""
    state = "on" if is_on else "off"
    words = (
        "From now on signing in asks for a code of your authenticator app as well.",
        "Every other browser that was logged in has been logged out.",
    )
    if not is_on:
        words = ("Signing in no longer asks for a code of your authenticator app.",)
    return EmailContent(
        EmailKind.TWO_FACTOR_CHANGED,
        subject=f"Two-factor sign-in is {state}",
        title=f"Two-factor sign-in is {state}",
        words=words,
        action=Action("See your settings", address_on_site("/settings")),
        small_print=(NOT_YOU,),
    )


def deletion_ordered(due_at: datetime) -> EmailContent:
    """Tell that an account will be erased, and how to keep it."""
    day = f"{due_at.day} {due_at:%B %Y}"
    return EmailContent(
        EmailKind.ACCOUNT_DELETION,
        subject="Your account will be deleted",
        title="Your account will be deleted",
        words=(
            f"On {day} all that you wrote, sent and have with us is erased for good.",
            "Until then you can read everything, and keep the account in the settings.",
        ),
        action=Action("Keep my account", address_on_site("/settings")),
        small_print=(NOT_YOU,),
    )


def channel_linked(messenger: str, name: str) -> EmailContent:
    """Tell that a messenger account writes for the user from now on."""
    whose = f"{messenger} ({name})" if name else messenger
    return EmailContent(
        EmailKind.CHANNEL_LINKED,
        subject=f"{messenger} was connected to your account",
        title=f"{messenger} is connected",
        words=(f"{whose} can read your conversation and write to your assistant from now on.",),
        action=Action("See your settings", address_on_site("/settings")),
        small_print=("If that was not you, disconnect it in the settings at once.",),
    )


def _undoing(secret: str) -> Action:
    return Action("This was not me: undo it", address_on_site("/address/undo", token=secret))


def _veiled(address: str) -> str:
    """Show enough of an address for its owner to know it again: `a…@example.org`."""
    mailbox, _, domain = address.rpartition("@")
    return f"{mailbox[:1]}…@{domain}"
