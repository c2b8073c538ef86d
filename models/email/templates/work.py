"""Letters about what the assistant has done."""

from models.email.templates.content import Action, EmailContent
from models.schema.emails import EmailKind


def answer_ready(title: str, words: str, *, see: Action, why: str) -> EmailContent:
    """Tell that an answer is there, which took long."""
    return EmailContent(
        EmailKind.LONG_WORK,
        subject=title,
        title=title,
        words=(words,),
        action=see,
        small_print=(why,),
    )
