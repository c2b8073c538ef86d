"""The one kind of error that users are told of."""

from typing import ClassVar


class Refused(Exception):
    """What a user asks is against a rule of the product.

    `actions.sentences.refusals` has the sentence for each code, with what it names of `details`.
    """

    code: ClassVar[str]

    def __init__(self, **details: object) -> None:
        super().__init__(self.code)
        self.details = details


class NotFound(Refused):
    """The page does not exist, or it is another user's."""

    code = "not_found"
