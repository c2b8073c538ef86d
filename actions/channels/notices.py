"""What the product itself says in a messenger: Markdown, and buttons below it.

A notice is worded in the language of its reader when it is written, as a mail is.
"""

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import UUID

from actions import offers
from actions.sentences.refusals import sentence_of
from actions.sentences.reminders import on_the_clock
from channels.inbound import Unsupported
from channels.outbound import Button
from models.email.templates.content import address_on_site
from models.errors import Refused
from models.money import money
from models.periods import zone_of
from models.schema.users import User
from models.translation import gettext, marked

# Refusals that credits help against.
NEEDS_CREDIT = {"out_of_credit", "address_not_verified"}
NEEDS_LIMITS = {"day_limit_reached", "month_limit_reached", "message_limit_reached"}

COMMANDS = {
    "new": marked("Begin a new conversation"),
    "stop": marked("Stop the answer"),
    "model": marked("Choose the model that answers"),
    "reminders": marked("See your reminders"),
    "usage": marked("See what you have spent"),
    "limits": marked("See what may be spent"),
    "unlink": marked("Disconnect this chat"),
    "help": marked("See what can be done here"),
}
UNSUPPORTED = {
    Unsupported.VIDEO: marked(
        "I cannot watch videos yet. Please tell me in words, or send a picture."
    ),
    Unsupported.VIDEO_NOTE: marked(
        "I cannot watch video messages. A voice message or a few words will do."
    ),
    Unsupported.POLL: marked("I cannot read polls. Please write what it asks."),
    Unsupported.OTHER: marked(
        "I cannot read this kind of message. Words, pictures, voice messages and files work."
    ),
}


@dataclass(frozen=True)
class Notice:
    """A sentence of the product for one chat; `code` says which in the log."""

    code: str
    text: str
    rows: Sequence[Sequence[Button]] = ()

    def as_content(self) -> dict[str, object]:
        """Return it as a delivery keeps it."""
        rows = [[asdict(button) for button in row] for row in self.rows]
        return {"code": self.code, "text": self.text, "rows": rows}


def not_answered_yet(words: str) -> Notice:
    """Say why a message that was taken waits, in an admin's words."""
    return Notice("not_answered_yet", plain(words))


def plain(words: str) -> str:
    """Write somebody's words so that Markdown takes none of them for its own."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|<>~&:=/@])", r"\\\1", " ".join(words.split()))


def not_a_group() -> Notice:
    words = gettext("I talk in private chats only, so I am leaving. Write to me directly!")
    return Notice("not_a_group", words)


def new_conversation() -> Notice:
    return Notice("new_conversation", gettext("A new conversation. What is it about?"))


def continued(title: str) -> Notice:
    """Say that the chat goes on in a conversation that was begun elsewhere."""
    words = gettext("We go on here with **%(title)s**.", title=plain(title))
    return Notice("continued", words)


def nothing_to_stop() -> Notice:
    return Notice("nothing_to_stop", gettext("Nothing is being answered just now."))


def models(user: User) -> Notice:
    """Offer the models, with what a message costs."""
    offered = offers.offered(user)
    lines = [
        f"- **{plain(one.display_name)}** ({plain(one.maker)}): {one.price}" for one in offered
    ]
    chosen = gettext("%(model)s answers now.", model=plain(offers.current(user).display_name))
    buttons = [
        [Button(f"{'✓ ' if one.is_chosen else ''}{one.display_name}", data=f"model:{one.id}")]
        for one in offered
        if len(f"model:{one.id}".encode()) <= 64
    ]
    return Notice("models", "\n".join([chosen, "", *lines]), buttons)


def model_chosen(display_name: str) -> Notice:
    words = gettext("**%(model)s** answers from now on.", model=plain(display_name))
    return Notice("model_chosen", words)


def usage(user: User, today_micros: int, month_micros: int) -> Notice:
    """Say what is left, and what was spent today and this month."""
    lines = [
        gettext("You have **%(left)s** left.", left=money(user.credits_available_micros)),
        gettext(
            "Spent today: %(today)s, this month: %(month)s.",
            today=money(today_micros),
            month=money(month_micros),
        ),
    ]
    see = Button(gettext("See all"), url=address_on_site("/usage"))
    return Notice("usage", "\n\n".join(lines), [[top_up_button(), see]])


def limits(user: User, message_micros: int) -> Notice:
    """Say what may be spent for a message, a day and a month."""
    none = gettext("no limit")
    lines = [
        gettext("Each message: %(most)s", most=money(message_micros)),
        gettext("Each day: %(most)s", most=_amount(user.day_limit_micros, none)),
        gettext("Each month: %(most)s", most=_amount(user.month_limit_micros, none)),
    ]
    return Notice("limits", "\n".join(f"- {line}" for line in lines), [[limits_button()]])


def reminders(lines: Sequence[str]) -> Notice:
    """Say what the user is reminded of next, a line each, and where to change it."""
    button = Button(gettext("Open"), url=address_on_site("/reminders"))
    words = "\n".join(f"- {plain(line)}" for line in lines)
    return Notice("reminders", words or gettext("You have no reminders."), [[button]])


def help_of() -> Notice:
    """Say what can be done in a chat."""
    lines = [f"/{name}: {gettext(words)}" for name, words in COMMANDS.items()]
    intro = gettext("Write, speak, or send pictures and files: I answer here and on the website.")
    return Notice("help", "\n".join([intro, "", *(f"- {line}" for line in lines)]))


def unknown_command() -> Notice:
    return Notice(
        "unknown_command", gettext("I do not know this command. /help lists all of them.")
    )


def refused(refusal: Refused) -> Notice:
    """Say why something was refused, with a button for what helps."""
    button = None
    if refusal.code in NEEDS_CREDIT:
        button = top_up_button()
    elif refusal.code in NEEDS_LIMITS:
        button = limits_button()
    return Notice(refusal.code, plain_lines(sentence_of(refusal)), [[button]] if button else ())


def confirm_cost(update_id: UUID, quote_micros: int) -> Notice:
    """Ask whether a message may cost so much."""
    words = gettext(
        "This may cost about **%(quote)s**, more than you let a message cost.",
        quote=money(quote_micros),
    )
    yes = Button(gettext("Send it anyway"), data=f"agree:{update_id}")
    no = Button(gettext("Do not send"), data=f"drop:{update_id}")
    return Notice("confirm_cost", words, [[yes, no]])


def dropped() -> Notice:
    return Notice("dropped", gettext("It was not sent."))


def paused() -> Notice:
    """Say that a message waits for credits."""
    words = gettext(
        "Your credits are used up. Your message waits, and goes on once there are some."
    )
    return Notice("paused", words, [[top_up_button()]])


def unsupported(what: Unsupported) -> Notice:
    return Notice(f"unsupported_{what}", gettext(UNSUPPORTED[what]))


def file_too_large(limit_bytes: int) -> Notice:
    """Say that a file is beyond what the messenger hands over; the website takes it."""
    words = gettext(
        "This file is larger than the %(most)s MB that I can fetch here. Send it on the website.",
        most=limit_bytes // 1_000_000,
    )
    return Notice(
        "file_too_large", words, [[Button(gettext("Open"), url=address_on_site("/chat"))]]
    )


def not_read() -> Notice:
    """Say that a message could not be taken, though nothing was wrong with it."""
    words = gettext("Your message could not be read just now. Please send it again.")
    return Notice("not_read", words)


def send_it_whole() -> Notice:
    """Ask for a message whose files or other parts were not kept, as it was not taken."""
    words = gettext("I do not have the rest of that message. Please send it again as a whole.")
    return Notice("send_it_whole", words)


def snoozed(at: datetime, timezone: str) -> Notice:
    """Say when a reminder comes again."""
    when = plain(on_the_clock(at, zone_of(timezone)))
    return Notice("snoozed", gettext("I remind you again: %(when)s.", when=when))


def ticked_off() -> Notice:
    return Notice("ticked_off", gettext("Done."))


def reminder_paused() -> Notice:
    """Say that a reminder cannot come again later while it is paused."""
    words = gettext("This reminder is paused. Resume it first, then it can remind you again.")
    button = Button(gettext("Open"), url=address_on_site("/reminders"))
    return Notice("reminder_paused", words, [[button]])


def reminder_gone() -> Notice:
    return Notice("reminder_gone", gettext("This reminder is gone, so nothing was changed."))


def heard(words: str) -> Notice:
    """Show what was heard in a voice message."""
    return Notice("heard", "\n".join(f"> 🎤 {plain(line)}" for line in words.splitlines()))


def plain_lines(words: str) -> str:
    """Do as `plain` does, line by line."""
    return "\n".join(plain(line) for line in words.splitlines())


def _amount(micros: int | None, none: str) -> str:
    return none if micros is None else money(micros)


def top_up_button() -> Button:
    """Lead to where credits are bought."""
    return Button(gettext("Top up"), url=address_on_site("/billing"))


def limits_button() -> Button:
    """Lead to where limits are changed."""
    return Button(gettext("Change"), url=address_on_site("/limits"))
