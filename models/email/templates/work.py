"""Letters about what the assistant has done, and was asked to tell."""

from collections.abc import Iterable, Sequence

from models.email.templates.content import Action, EmailContent, Fact
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


def reminder(title: str, words: Sequence[str], *, see: Action, why: str) -> EmailContent:
    """Tell what somebody wanted to be reminded of; their words come first, and name the mail."""
    return _named_by_its_words(EmailKind.REMINDER, title, words, see, why)


def task_result(title: str, words: Sequence[str], *, see: Action, why: str) -> EmailContent:
    """Tell what came of a task; the words that set it come first, and name the mail."""
    return _named_by_its_words(EmailKind.TASK_RESULT, title, words, see, why)


def collected(
    title: str, words: Iterable[str], facts: Iterable[Fact], *, see: Action, why: str
) -> EmailContent:
    """Tell several things at once, a line each."""
    return EmailContent(
        EmailKind.COLLECTED,
        subject=title,
        title=title,
        words=tuple(words),
        facts=tuple(facts),
        action=see,
        small_print=(why,),
    )


def _named_by_its_words(
    kind: EmailKind, title: str, words: Sequence[str], see: Action, why: str
) -> EmailContent:
    return EmailContent(
        kind,
        subject=f"{title}: {words[0][:80]}",
        title=title,
        words=tuple(words),
        action=see,
        small_print=(why,),
    )
