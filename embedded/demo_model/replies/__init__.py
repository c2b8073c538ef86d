"""What the demo model says to people: the first rule that fits a message answers it."""

from collections.abc import Callable

from embedded.demo_model.conversation import Asked
from embedded.demo_model.prompt import Moment, moment
from embedded.demo_model.replies import (
    attachments,
    beginnings,
    handing_over,
    memory,
    product_tools,
    small_talk,
    summaries,
    sums,
    web,
)
from embedded.demo_model.reply import Reply

Rule = Callable[[Moment], Reply | None]

RULES: tuple[Rule, ...] = (
    small_talk.housekeeping,
    summaries.summary,
    attachments.pictures,
    attachments.files,
    beginnings.suggested,
    web.research,
    handing_over.write_file,
    product_tools.product_tools,
    web.look_up,
    memory.forget,
    memory.remember,
    memory.recall,
    small_talk.local_time,
    sums.arithmetic,
    small_talk.code,
    small_talk.about_itself,
    small_talk.greeting,
    small_talk.thanks,
)
REPORTED_CHARS = 400
# In the first answer of a conversation, so that nobody takes it for a real one.
NOTICE = (
    "\n\n*This is the demo model: it finds words and fills in sentences. "
    "Give the service a provider's key and a real model answers here.*"
)


def report(asked: Asked) -> Reply:
    """Say what the last tool returned."""
    call, result = asked.done[-1]
    return Reply(f"I used `{call.name}`. It says:\n\n> {' '.join(result.split())[:REPORTED_CHARS]}")


def reply(asked: Asked) -> Reply:
    """Answer what was asked."""
    at = moment(asked)
    for rule in RULES:
        found = rule(at)
        if found is not None:
            break
    else:
        found = small_talk.anything(at)
    is_first = not any(said.role == "assistant" and said.text for said in asked.earlier)
    is_said = found.text != small_talk.SILENT and not summaries.is_asked_for(asked)
    if found.text and not found.calls and is_first and is_said:
        return Reply(found.text + NOTICE)
    return found
