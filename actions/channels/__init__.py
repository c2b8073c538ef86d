"""Users' messengers: what comes in from them, and what is to go out to them."""
