"""Why the embedded stack could not do what it was asked."""


class CannotStart(Exception):
    """Something outside the program is in the way; the message is one sentence for the person."""
