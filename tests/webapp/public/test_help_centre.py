"""The help centre has the articles that the assistant reads, and every one leads somewhere."""

from collections.abc import Callable

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


def test_what_is_not_set_up_is_not_promised(adas: Browser, adjust: Callable[..., None]) -> None:
    with_all = {"TELEGRAM_BOT_TOKEN": "1:a", "SEARXNG_BASE_URL": "http://127.0.0.1:9"}
    adjust(**with_all)
    assert "Each search costs a little" in adas.read("/help/web")
    assert "Connect Telegram" in adas.read("/help/telegram")
    adjust(**dict.fromkeys(with_all, ""))
    assert "no search engine is set up" in adas.read("/help/web")
    assert "Each search" not in adas.read("/help/web")
    assert "Connect Telegram" not in adas.read("/help/telegram")


def test_there_are_no_others(adas: Browser) -> None:
    assert adas.get("/help/secrets").status_code == 404
