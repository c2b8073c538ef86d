"""The one kind of error that people are meant to read."""


class Refused(Exception):
    """This is against a rule of the product."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or type(self).__doc__)


class NotFound(Refused):
    """This page does not exist, or it is not yours."""
