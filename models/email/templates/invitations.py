"""Letters to those who have no account yet."""

from models.email.templates.content import Action, EmailContent, address_on_site
from models.money import money
from models.schema.emails import EmailKind
from settings import get_settings


def waiting_listed() -> EmailContent:
    """Tell somebody that they are on the waiting list."""
    name = get_settings().product_name
    return EmailContent(
        EmailKind.WAITING_LISTED,
        subject=f"You are on the waiting list of {name}",
        title="You are on the list",
        words=(
            f"{name} takes people in step by step, so that everybody is answered fast.",
            "We will send an invitation to this address as soon as there is room for you.",
        ),
        small_print=("It was not you? Then ignore this mail: you get one invitation, no more.",),
    )


def invitation(code: str, bonus_micros: int, days: int) -> EmailContent:
    """Invite somebody who waited; the code is in the link."""
    name = get_settings().product_name
    gift = f" {money(bonus_micros)} of credit comes with it." if bonus_micros else ""
    return EmailContent(
        EmailKind.INVITATION,
        subject=f"Your invitation to {name}",
        title="There is room for you",
        words=(f"Thank you for waiting. Your assistant can begin now.{gift}",),
        action=Action("Create my account", address_on_site("/signup", invitation=code)),
        small_print=(f"The invitation {code} is for one account, within {days} days.",),
    )
