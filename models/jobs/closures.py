"""Why nothing at all can be sent: an account that is about to go, or maintenance."""

from models.errors import Refused


class AccountClosing(Refused):
    """An account is about to be deleted."""

    code = "account_closing"


class UnderMaintenance(Refused):
    """Nobody can send while an admin has switched to maintenance; `sentence` is theirs, or ""."""

    code = "under_maintenance"

    def __init__(self, sentence: str) -> None:
        super().__init__()
        self.sentence = sentence
