"""The help centre has the articles that the assistant reads, and every one leads somewhere."""

import pytest

from actions.sentences import help_articles as articles
from agent.tools.registry import HELP_TOPICS
from tests.webapp.browser import Browser


def test_the_assistant_may_ask_for_each_article() -> None:
    assert set(HELP_TOPICS) == set(articles.ARTICLES)


@pytest.mark.parametrize("topic", articles.ARTICLES)
def test_each_is_there_for_anybody_and_leads_somewhere(adas: Browser, topic: str) -> None:
    shown = adas.read(f"/help/{topic}")
    article = articles.article(topic)
    assert all(paragraph in shown for paragraph in article.paragraphs)
    assert "%(" not in shown
    if article.leads_to:
        assert adas.get(article.leads_to).status_code == 200
    assert article.title in adas.read("/help")


def test_there_are_no_others(adas: Browser) -> None:
    assert adas.get("/help/secrets").status_code == 404
