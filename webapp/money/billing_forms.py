"""The amounts in the forms of the billing page, and where what is wrong with one is said."""

from collections.abc import Mapping

from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models import payments
from models.errors import Refused
from models.payments import auto_topup
from models.payments.auto_topup import MonthTooSmall, NoThreshold, Plan
from models.payments.checkout import AmountOutOfRange

CUSTOM = "custom"
# The fields of a plan in the order of `Plan`.
PLAN_FIELDS = ("below", "by", "most")
# Beside which field is said why a plan is refused: all that `Plan.checked` may raise.
REFUSED_AT: dict[type[Refused], str] = {
    payments.BadAmount: "by",
    AmountOutOfRange: "by",
    NoThreshold: "below",
    MonthTooSmall: "most",
}
UNREADABLE = "Type an amount in dollars, such as 12.50."


class TwoAmounts(Refused):
    """A user typed an amount while another one was chosen."""

    code = "two_amounts"


class BadPlanFields(Refused):
    """Some fields of an automatic top-up are wrong; `at` says which."""

    code = "bad_plan_fields"

    def __init__(self, at: Mapping[str, str]) -> None:
        super().__init__()
        # Field: what is wrong with it.
        self.at = dict(at)


def top_up_micros(form: Mapping[str, str]) -> int:
    """Read what somebody wants to buy, in micros; refuse two amounts at once, and what is none."""
    chosen, typed = form.get("amount", ""), form.get("custom", "").strip()
    if typed and chosen != CUSTOM:
        raise TwoAmounts
    try:
        return values.dollars(typed if chosen == CUSTOM else chosen)
    except BadValue as unreadable:
        raise payments.BadAmount from unreadable


def plan(form: Mapping[str, str]) -> Plan:
    """Read a plan of topping up; refuse it with all that cannot be read in it."""
    read: list[int] = []
    unreadable: dict[str, str] = {}
    for name in PLAN_FIELDS:
        try:
            read.append(values.dollars(form.get(name, "")))
        except BadValue:
            unreadable[name] = UNREADABLE
    if unreadable:
        raise BadPlanFields(unreadable)
    below, amount, most = read
    chosen = auto_topup.Plan(below, amount, most)
    try:
        return chosen.checked()
    except Refused as refusal:
        raise BadPlanFields({REFUSED_AT[type(refusal)]: sentence_of(refusal)}) from refusal
