"""Letters about money: what was paid, and what a person wanted to be told of."""

from collections.abc import Iterable

from models.email.templates.content import Action, EmailContent, Fact
from models.schema.emails import EmailKind


def receipt(what: str, facts: Iterable[Fact], *, see: Action | None = None) -> EmailContent:
    """Thank for a payment. `what` ends the subject: `your top-up of $10.00`."""
    return EmailContent(
        EmailKind.RECEIPT,
        subject=f"Receipt for {what}",
        title="Thank you",
        words=(f"This is the receipt for {what}.",),
        facts=tuple(facts),
        action=see,
        small_print=(
            "Keep this mail if you need it for your records. Nothing else is to be done.",
        ),
    )


def top_up_off(reason: str, *, see: Action) -> EmailContent:
    """Tell that credits are topped up by themselves no more, why, and what to do about it."""
    return EmailContent(
        EmailKind.ALERT,
        subject="Automatic top-up is off",
        title="Automatic top-up is off",
        words=(
            f"Your credits are no longer topped up by themselves. {reason}",
            "What you have stays yours. Once it is used up, your messages wait for a top-up.",
            "To switch it on again, top up yourself and save a card with that.",
        ),
        action=see,
        small_print=("Nothing more is charged without you until then.",),
    )


def alert(
    subject: str, words: Iterable[str], *, see: Action | None = None, why: str = ""
) -> EmailContent:
    """Tell of a limit that a person has set, or of credits that run low; `why` they are told."""
    return EmailContent(
        EmailKind.ALERT,
        subject=subject,
        title=subject,
        words=tuple(words),
        action=see,
        small_print=(why,) if why else (),
    )
