"""The articles of the help centre, which the assistant reads too: short, and true as things stand.

A paragraph may name numbers of the settings; `facts` has them.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from gateways import web_search
from models.money import money
from models.translation import gettext, marked
from settings import Settings, get_settings


@dataclass(frozen=True)
class Article:
    """One page of help. `leads_to` is where on the site what it speaks of is done."""

    title: str
    paragraphs: tuple[str, ...]
    leads_to: str = ""


ARTICLES: Mapping[str, Article] = {
    "credits": Article(
        marked("Credits and what things cost"),
        (
            marked(
                "There is no plan. You pay for what went into each answer; the price stands"
                " beneath it, and opens a receipt that shows every part."
            ),
            marked(
                "Credits you buy never lapse. Without any left, new messages wait and go on once"
                " you have topped up; nothing that you have is lost."
            ),
            marked(
                "What you paid for an answer that failed because of us is given back, up to a daily"
                " limit."
            ),
        ),
        "/billing",
    ),
    "limits": Article(
        marked("Limits"),
        (
            marked(
                "You decide what a message, a day and a month may cost. A message that may cost"
                " more than its limit is not sent before you agree; the usual one is"
                " %(message_limit)s."
            ),
            marked(
                "A day begins at midnight where you are. When its limit is reached, sending opens"
                " again the next day, or as soon as you raise it."
            ),
        ),
        "/limits",
    ),
    "models": Article(
        marked("Models"),
        (
            marked(
                "A model is the mind that answers. Better ones cost more. Choose one in the"
                " settings; your next message goes to it."
            ),
            marked("What your assistant remembers stays the same with every model."),
        ),
        "/prices",
    ),
    "telegram": Article(
        marked("Telegram"),
        (
            marked(
                "Connect Telegram in the settings and write to your assistant there: words, voice"
                " messages, pictures and files. Both show the same conversations."
            ),
            marked(
                "/new begins a conversation, /stop stops an answer, /usage says what you have"
                " spent, and /unlink disconnects the chat."
            ),
        ),
        "/settings",
    ),
    "reminders": Article(
        marked("Reminders and tasks"),
        (
            marked(
                "Say “remind me tomorrow at eight to call the dentist”. Reminders cost nothing and"
                " come even without credits, in the conversation and as you chose in the settings."
                " They can be snoozed, paused, skipped and changed."
            ),
            marked(
                "A task is more: at its time your assistant does something, such as “every Monday,"
                " sum up what I planned”, and it costs what the answer costs. You may be told only"
                " if something holds. All tasks of a day cost no more than the limit that you set,"
                " usually %(task_limit)s."
            ),
            marked("A secret link shows your reminders in any calendar that can subscribe to one."),
        ),
        "/reminders",
    ),
    "lists": Article(
        marked("Lists"),
        (
            marked(
                "Say “put milk on my shopping list”. Ask what is on a list, tick things off or"
                " clear it, by talking or on the page."
            ),
        ),
        "/lists",
    ),
    "files": Article(
        marked("Files"),
        (
            marked(
                "Send pictures, PDFs and text files with a message, up to %(files)s at once and"
                " %(file_mb)s MB each. Your assistant reads them there and then."
            ),
            marked("Long ones make a message dearer. Deleting a conversation deletes its files."),
            marked(
                "Ask for a file and your assistant writes one and hands it over. All of them, with"
                " how much room they take, are at /files; an archive of everything, and a way to"
                " bring one in, are in the settings."
            ),
        ),
        "/files",
    ),
    "memory": Article(
        marked("Memory"),
        (
            marked(
                "Say “remember that I am allergic to walnuts”. Your assistant sees its notes in"
                " every conversation; you read, add, change and delete them at /memory."
            ),
            marked(
                "A conversation that is not to be remembered is switched so in its menu: nothing is"
                " noted in it, and nothing of it is told elsewhere."
            ),
        ),
        "/memory",
    ),
    "web": Article(
        marked("The web"),
        (
            marked(
                "Ask your assistant to look something up, or send it an address to read. What it"
                " used stands below the answer as numbered sources. Each search costs a little."
            ),
            marked(
                "Research, the globe beside the message, searches several times and writes a"
                " report. You are told first what it may cost."
            ),
        ),
    ),
    "privacy": Article(
        marked("Privacy"),
        (
            marked(
                "Your assistant runs for you alone: its files and its memory are no other user's."
                " What you write goes to the maker of the model that answers, as it must."
            ),
            marked(
                "In the settings you see where you are logged in, and can end every other session."
            ),
        ),
        "/settings",
    ),
    "delete": Article(
        marked("Deleting things"),
        (
            marked(
                "The menu of a conversation deletes it for good, with its files. To delete a"
                " reminder, open it and press Delete."
            ),
            marked(
                "What was noted in a conversation goes with it. A single message is deleted below"
                " it, a note at /memory, a file at /files; what you wrote into notes yourself stays"
                " until you delete it."
            ),
            marked(
                "In the settings you can delete your whole account. It goes after %(days)s days in"
                " which you may change your mind. Entries about money stay, without your name:"
                " books are only ever added to."
            ),
        ),
    ),
}

# What an article says instead where nothing of it is set up: it would promise what nobody does.
WITHOUT: Mapping[str, str] = {
    "telegram": marked("This service is not connected to Telegram. Your assistant answers here."),
    "web": marked(
        "Your assistant cannot look things up here: no search engine is set up. It answers from"
        " what its model knows and from what you send it."
    ),
}


def is_set_up(topic: str, settings: Settings) -> bool:
    """Tell whether this service has what an article is about."""
    match topic:
        case "telegram":
            return bool(settings.telegram_bot_token)
        case "web":
            return web_search.engine(settings) is not None
        case _:
            return True


def facts() -> dict[str, str]:
    """Return the numbers that articles name."""
    settings = get_settings()
    return {
        "message_limit": money(settings.message_limit_micros),
        "task_limit": money(settings.task_day_limit_micros),
        "files": str(settings.upload_max_files),
        "file_mb": str(settings.upload_max_bytes // (1024 * 1024)),
        "days": str(settings.account_deletion_days),
    }


def article(topic: str) -> Article:
    """Return an article in the reader's language, with its numbers. Raises KeyError."""
    found, numbers = ARTICLES[topic], facts()
    if not is_set_up(topic, get_settings()):
        return Article(title=gettext(found.title), paragraphs=(gettext(WITHOUT[topic]),))
    return Article(
        title=gettext(found.title),
        paragraphs=tuple(gettext(one, **numbers) for one in found.paragraphs),
        leads_to=found.leads_to,
    )
