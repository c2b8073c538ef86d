"""The cards that the payment page offers, named by their last four digits as in Stripe's tests."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Card:
    last4: str
    brand: str
    # What the payment page says of it.
    words: str
    # What becomes of it on the payment page, and later when its owner is away.
    is_declined: bool = False
    asks_owner: bool = False
    later: str = ""
    takes_days: bool = False


CARDS = (
    Card("4242", "visa", "Pays at once"),
    Card("0002", "visa", "Is declined", is_declined=True),
    Card(
        "3155",
        "visa",
        "Asks its owner each time (3-D Secure)",
        asks_owner=True,
        later="authentication_required",
    ),
    Card("0341", "visa", "Pays now, is declined later", later="card_declined"),
    Card("6789", "bank", "Bank debit, takes days", takes_days=True),
)
BY_LAST4 = {card.last4: card for card in CARDS}
