"""What an alert is about, and what follows from it."""

from collections.abc import Mapping

from models.money import money
from models.schema.alerts import NEARLY, Alert, AlertKind
from models.translation import gettext, marked

NAMES: Mapping[AlertKind, str] = {
    AlertKind.DAY: marked("limit for today"),
    AlertKind.MONTH: marked("limit for this month"),
}
SPENT: Mapping[int, str] = {
    50: marked("Half of your %(name)s (%(limit)s) is spent."),
    75: marked("Three quarters of your %(name)s (%(limit)s) is spent."),
    NEARLY: marked("Too little is left of your %(name)s (%(limit)s) for another answer."),
    100: marked("Your %(name)s (%(limit)s) is used up."),
}
AT_A_LIMIT = marked(
    "At a limit nothing is spent until the next day or month begins, or you change it."
)
MEANINGS: Mapping[AlertKind, str] = {
    AlertKind.DAY: AT_A_LIMIT,
    AlertKind.MONTH: AT_A_LIMIT,
    AlertKind.BALANCE: marked(
        "What you send waits once they are used up. You can top up at any time."
    ),
    AlertKind.ABSORBED: marked(
        "There is a limit to what we give back in one day. What failed beyond it was charged, or"
        " was not started at all."
    ),
}


def words(alert: Alert) -> str:
    """Say what an alert is about."""
    limit = money(alert.limit_micros)
    if alert.kind is AlertKind.BALANCE:
        return gettext("Your credits have fallen below %(limit)s.", limit=limit)
    if alert.kind is AlertKind.ABSORBED:
        return gettext("Too much failed today for us to give all of it back.")
    spent = SPENT[min(alert.percent, 100)]
    return gettext(spent, name=gettext(NAMES[alert.kind]), limit=limit)


def meaning(alert: Alert) -> str:
    """Say what follows from an alert, and what can be done."""
    return gettext(MEANINGS[alert.kind])
