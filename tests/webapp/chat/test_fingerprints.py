"""What the chat page is drawn from has a name that changes with all of it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from flask import Flask
from jinja2 import meta, nodes
from sqlalchemy.orm import Session

from models.schema.failure_codes import FailureCode
from models.schema.users import User
from tests import factories
from webapp.chat.fingerprints import fingerprint

# What else the page reads than the view that it is given. Each is the same for everybody and as
# long as the process lives, or is one of the parts that `page_state._fingerprint` names.
THE_SAME_FOR_ALL = {
    *(
        "asset",
        "dom_id",
        "render_rows",
        "entry_name",
        "icon",
        "is_partial",
        "moment",
        "product_name",
    ),
    *("import_map", "scripts", "sells_credits", "support_email", "url_for"),
    # In one language, which is one of the parts.
    *("alert_meaning", "alert_words"),
}
NAMED = {
    "announcements",
    "csrf",
    "csrf_token",
    "engine_is_ready",
    "messengers",
    "open_alerts",
    "person",
}
# New with each answer, which keeps it: a page with flashes is never kept.
OF_ONE_ANSWER = {"csp_nonce", "get_flashed_messages", "new_key", "request"}


@dataclass(frozen=True)
class View:
    who: User
    words: tuple[str, ...]
    moment: str = field(default="", compare=False)


def test_each_part_counts_however_deep_it_lies(db: Session, ada: User) -> None:
    job = factories.job(db, ada)
    before = fingerprint(View(ada, ("a", "b")), job)

    assert fingerprint(View(ada, ("a", "b")), job) == before
    assert fingerprint(View(ada, ("a", "b"), moment="now"), job) == before
    assert fingerprint(View(ada, ("a", "c")), job) != before
    job.failure_code = FailureCode.STUCK
    assert fingerprint(View(ada, ("a", "b")), job) != before
    job.failure_code = None
    ada.name = "Countess"
    assert fingerprint(View(ada, ("a", "b")), job) != before


def test_what_the_page_reads_beside_its_view_is_in_its_name(app: Flask) -> None:
    """Whoever lets its frame show something more names it in `page_state._fingerprint`."""
    with app.test_request_context():
        given: dict[str, object] = {}
        app.update_template_context(given)
    read = set(_read(app, "chat/page.html", set())) & {*given, *app.jinja_env.globals}
    assert read - THE_SAME_FOR_ALL - OF_ONE_ANSWER == NAMED


def _read(app: Flask, template: str, known: set[str]) -> Iterator[str]:
    """Find what a template reads, and those that it is made of."""
    known.add(template)
    source = app.jinja_env.loader
    assert source
    tree = app.jinja_env.parse(source.get_source(app.jinja_env, template)[0])
    yield from (name.name for name in tree.find_all(nodes.Name) if name.ctx == "load")
    for part in meta.find_referenced_templates(tree):
        if part is not None and part not in known:
            yield from _read(app, part, known)
