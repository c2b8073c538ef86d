"""The help centre: short articles, the same that the assistant reads."""

from flask import Blueprint, render_template

from actions.sentences import help_articles as articles
from models.errors import NotFound

pages = Blueprint("help", __name__)


@pages.get("/help")
def show() -> str:
    """List all articles."""
    listed = {topic: articles.article(topic) for topic in articles.ARTICLES}
    return render_template("public/help/page.html", articles=listed)


@pages.get("/help/<topic>")
def show_one(topic: str) -> str:
    """Show one article."""
    if topic not in articles.ARTICLES:
        raise NotFound
    return render_template("public/help/article.html", article=articles.article(topic))
