"""The accounts that people choose from, and those that they make up."""

from dataclasses import dataclass
from hashlib import sha256

SUBJECT_DIGITS = 21


@dataclass(frozen=True)
class Account:
    """Somebody at the provider."""

    name: str
    email: str

    @property
    def subject(self) -> str:
        """The same number for an address at all times, as long as Google's."""
        digest = sha256(self.email.lower().encode()).hexdigest()
        return f"1{int(digest, 16)}"[:SUBJECT_DIGITS]


ACCOUNTS = (
    Account("Ada Lovelace", "ada.lovelace@gmail.com"),
    Account("Grace Hopper", "grace.hopper@gmail.com"),
    Account("Alan Turing", "alan@turing.example"),
)


def named(email: str) -> Account:
    """Return the account of an address, which may be anybody's."""
    known = {account.email: account for account in ACCOUNTS}
    return known.get(email, Account(email.partition("@")[0], email))
