"""What a messenger says in the place of a file that it cannot be given."""

from actions.channels.notices import plain
from models.email.templates.content import address_on_site
from models.translation import gettext


def not_sent(name: str) -> str:
    """Say where a file is that is too large for the messenger, or that it refuses."""
    words = gettext(
        "“%(name)s” could not be sent here. You find it on the website:", name=plain(name)
    )
    return f"{words} {address_on_site('/files')}"


def gone(name: str) -> str:
    """Say that a file was deleted before it was sent."""
    return gettext("“%(name)s” was deleted meanwhile.", name=plain(name))
