"""What is said when a code of two-factor sign-in is refused."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "too_many_wrong_codes": marked(
        "That was not right too often. Please wait a quarter of an hour, then try again."
    ),
    "two_factor_off": marked("Two-factor sign-in is not switched on. Please begin again."),
    "two_factor_on": marked("Two-factor sign-in is switched on already."),
    "wrong_code": marked(
        "This code is not right, or it was used before. Please type the one that is shown now."
    ),
}
