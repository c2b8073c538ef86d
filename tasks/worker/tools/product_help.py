"""Saying how the product works, in the words of its help centre."""

from actions.sentences import help_articles as articles
from agent.tools.registry import HELP_TOPICS, Arguments
from gateways.values import BadValue
from models.translation import speaking
from tasks.worker.tools.access import Caller


def read(caller: Caller, given: Arguments) -> str:
    """Return one article, with where it is done and where the user finds it."""
    topic = given.get("topic")
    if not isinstance(topic, str) or topic not in HELP_TOPICS:
        raise BadValue
    with speaking(caller.user.locale):
        article = articles.article(topic)
    where = f"Done at {article.leads_to}. " if article.leads_to else ""
    return "\n".join(
        (article.title, *article.paragraphs, f"{where}They find this at /help/{topic}.")
    )
