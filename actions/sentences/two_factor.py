"""What is said when a code of two-factor sign-in is refused, or the deletion of an account."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "account_closing": marked(
        "Your account is about to be deleted, so nothing can be sent. Keep it in the settings"
        " first."
    ),
    "not_agreed": marked("Please tick the box: what is deleted is gone for good."),
    "too_many_wrong_codes": marked(
        "That was not right too often. Please wait a quarter of an hour, then try again."
    ),
    "two_factor_off": marked("Two-factor sign-in is not switched on. Please begin again."),
    "two_factor_on": marked("Two-factor sign-in is switched on already."),
    "wrong_code": marked(
        "This code is not right, or it was used before. Please type the one that is shown now."
    ),
}
