"""The website as a process of its own on real services, and what of it must stay as it is."""

import os
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa
from flask import Flask

from channels import registry
from embedded.stack import Stack
from models.database import open_session
from settings import get_settings
from tests import factories
from tests.channels.pigeon import Pigeon
from tests.fuzz import world
from tests.fuzz.fields import Finder, Place, Visitor
from tests.fuzz.world import ADDRESSES, ROLES, Role
from tests.house import SETTINGS as OF_HOUSES
from tests.house import House
from tests.webapp.browser import Browser
from webapp import create_app

OFTEN = "1000000 per minute"
# Nothing is counted: it is the values that are tried here, not how many may be sent.
SETTINGS = {
    **OF_HOUSES,
    **{f"{name}_RATE_LIMIT": OFTEN for name in ("LOGIN", "SIGNUP", "MAIL", "PAYMENT", "POST")},
    # It counts bytes.
    "UPLOAD_RATE_LIMIT": "1000000000000 per minute",
    "VERIFY_EMAIL": "true",
}
WEB = "wsgi:app"


class Front(Stack):
    """The product without workers and without OpenClaw: what is sent waits."""

    def add_worker(self) -> str:
        """Start none."""
        return ""

    def _install_engine(self) -> None:
        """Install nothing."""


class Site:
    """A running website with everybody in it."""

    def __init__(self, house: House) -> None:
        self.house = house
        with house.database() as db, db.begin():
            self.world = world.build(db)
        with house.database() as db:
            self._kept = world.snapshot(db, self.world)
            self._adas = world.what_is_adas(db, self.world)
        self._processes = self.processes()
        assert self._processes

    @property
    def port(self) -> int:
        return self.house.stack.port

    @property
    def webhook_secret(self) -> str:
        return self.house.environment["STRIPE_WEBHOOK_SECRET"]

    def restore(self) -> None:
        """Undo what requests have done to people, and give Max new things."""
        with self.house.database() as db, db.begin():
            world.restore(db, self.world, self._kept)

    def show_codes(self) -> None:
        """Let the admin have shown the code of an app, without which nothing opens."""
        with self.house.database() as db:
            factories.show_codes(db)

    def changed_of_adas(self) -> list[str]:
        """List the tables in which something of Ada's is not as it was."""
        with self.house.database() as db:
            now = world.what_is_adas(db, self.world)
        return [table for table, rows in now.items() if rows != self._adas[table]]

    def processes(self) -> list[int]:
        """The processes of the website: gunicorn and its worker."""
        return sorted(self.house.processes([WEB]))

    def has_restarted(self) -> bool:
        return self.processes() != self._processes


@contextmanager
def front(data: Path, *, is_kept: bool) -> Generator[Site]:
    """Start the services and the website, with everybody in it."""
    with Front(data, settings=SETTINGS, is_kept=is_kept) as stack, settings_of(stack):
        house = House(stack)
        yield Site(house)
        house.close()


@contextmanager
def settings_of(stack: Stack) -> Generator[None]:
    """Let this process have the settings of the stack meanwhile."""
    before = dict(os.environ)  # noqa: TID251
    os.environ.update(stack.environment())  # noqa: TID251
    get_settings.cache_clear()
    try:
        yield
    finally:
        os.environ.clear()  # noqa: TID251
        os.environ.update(before)  # noqa: TID251
        get_settings.cache_clear()


def places_of(site: Site) -> list[Place]:
    """Find every page with its fields, on the site's own database, in which nothing is changed."""
    url = sa.make_url(site.house.environment["DATABASE_URL"])
    engine = sa.create_engine(url.set(drivername="postgresql+psycopg"))
    before = dict(open_session.kw)
    with engine.connect() as connection, connection.begin() as outer:
        open_session.configure(bind=connection, join_transaction_mode="create_savepoint")
        registry.install([Pigeon()])
        try:
            app = create_app(get_settings())
            found = Finder(app, visitors_of(app), site.world, connection).find()
        finally:
            registry.install([])
            open_session.configure(**before)
            outer.rollback()
    engine.dispose()
    return found


def visitors_of(app: Flask) -> Mapping[Role, Visitor]:
    """Log everybody in on a site in this process; a stranger has a token too."""
    found: dict[Role, Visitor] = {}
    for role in ROLES:
        browser = Browser(app)
        if role != "stranger":
            assert browser.log_in(ADDRESSES[role]).status_code == 303
            with open_session() as db:
                factories.show_codes(db)
        token = browser.token()
        cookie = browser.client.get_cookie("session")
        assert cookie
        found[role] = Visitor(f"session={cookie.value}", token)
    return found
