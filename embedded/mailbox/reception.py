"""What the mail server does with what it is handed: it keeps it, unless it is told to be unwell."""

from typing import Any, Literal, get_args

from embedded.mailbox.folder import MailFolder

Mood = Literal["well", "refuse", "later", "vanish"]
MOODS: tuple[str, ...] = get_args(Mood)


class Reception:
    """Handles mail for aiosmtpd, which finds its methods by their names."""

    def __init__(self, folder: MailFolder) -> None:
        self.mood: str = "well"
        # How often a whole mail was handed in, kept or not.
        self.handed_in = 0
        self._folder = folder

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802, ARG002
        """Keep a mail and say so; or refuse it, put it off, or hang up after having kept it."""
        self.handed_in += 1
        if self.mood == "refuse":
            return "550 There is nobody of that name here"
        if self.mood == "later":
            return "451 Please come back later"
        self._folder.keep(envelope.original_content)
        if self.mood == "vanish":
            server.transport.abort()
        return "250 Kept"
