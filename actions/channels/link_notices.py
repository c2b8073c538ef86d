"""What is said in a messenger about whose it is: how to connect it, and that it was let go."""

from actions.channels.notices import Notice, plain
from channels.outbound import Button
from models.email.templates.content import address_on_site
from models.schema.users import User
from models.translation import gettext
from settings import get_settings


def stranger(secret: str, channel: str) -> Notice:
    """Greet somebody whose messenger is nobody's yet, with the way to make it theirs."""
    url = address_on_site(f"/channels/{channel}/connection/{secret}")
    words = gettext(
        "Hello! I am %(product)s, your personal assistant. Connect this chat to your account, or"
        " sign up in a minute; then just write to me here. The link works for an hour.",
        product=get_settings().product_name,
    )
    return Notice("stranger", words, [[Button(gettext("Connect"), url=url)]])


def linked(user: User) -> Notice:
    """Say that a messenger is connected, and to whose account."""
    words = gettext(
        "Connected to **%(address)s**. Whatever you write here, you find on the website too. If"
        " that is not your account, disconnect at once.",
        address=plain(user.email),
    )
    button = Button(gettext("Disconnect"), data="unlink:ask")
    return Notice("linked", words, [[button]])


def linked_already(user: User) -> Notice:
    """Say to whom a messenger is connected that opens another code of the same account."""
    words = gettext(
        "This chat is connected to **%(address)s** already. Just write to me here.",
        address=plain(user.email),
    )
    return Notice("linked_already", words)


def link_gone() -> Notice:
    words = gettext("This link was used or has expired. Please make a new one in your settings.")
    return Notice("link_gone", words, [[_settings_button()]])


def linked_elsewhere() -> Notice:
    """Say to the holder of a messenger that it stays with the account that it belongs to."""
    words = gettext(
        "This chat is connected to another account. Disconnect it first with /unlink, then open"
        " the link again."
    )
    return Notice("linked_elsewhere", words)


def other_linked() -> Notice:
    words = gettext(
        "Your account is connected to another chat. Disconnect that one in your settings first."
    )
    return Notice("other_linked", words, [[_settings_button()]])


def link_tried() -> Notice:
    """Tell the linked messenger that somebody tried to link another one."""
    words = gettext(
        "Another chat has just tried to connect to your account. It was refused. If that was not"
        " you, end your other sessions in the settings."
    )
    return Notice("link_tried", words, [[_settings_button()]])


def unlink_question() -> Notice:
    words = gettext("Disconnect this chat? Your conversations stay on the website.")
    button = Button(gettext("Disconnect"), data="unlink:yes")
    return Notice("unlink_question", words, [[button]])


def unlinked() -> Notice:
    return Notice("unlinked", gettext("This chat is disconnected. Nothing more is sent here."))


def _settings_button() -> Button:
    return Button(gettext("Settings"), url=address_on_site("/settings#channels"))
