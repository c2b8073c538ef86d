"""The pages of admins on a phone and a desktop: nothing sticks out, and an action is done.

Olga owns the business.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from models.base import utc_now
from models.ops import rollups
from models.people import users
from models.schema.admins import AdminRole
from models.schema.jobs import Job
from models.schema.users import User
from tests import factories
from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")


@pytest.fixture
def olga(site: Site) -> User:
    """Is an owner."""
    person = site.person("Olga")
    with site.database() as db:
        users.set_admin_role(db.get_one(User, person.id), AdminRole.OWNER)
    return person


def answered(site: Site, ada: User) -> Job:
    """A message of Ada's that was charged and answered, and is in the numbers."""
    with site.database() as db:
        job = factories.running(db, ada)
        factories.charge(db, job, 40_000)
        factories.answer(db, job)
    with site.database() as db:
        assert rollups.roll_hours(db, utc_now())
        assert rollups.roll_days(db, utc_now())
    return job


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_sticks_out_of_any_page(
    site: Site, olga: User, open_browser: Callable[..., BrowserContext], width: int
) -> None:
    ada = site.person()
    job = answered(site, ada)
    page = open_browser(viewport={"width": width, "height": 740}).new_page()
    # Strangers are not led to the login from there.
    site.log_in(page, olga)
    page.goto(f"{site.url}/admin")
    expect(page.get_by_role("img", name="Sign-ups over time")).to_be_visible()
    paths = ("", "/people", f"/people/{ada.id}", "/queue", f"/queue/{job.id}")
    paths += ("/workers", "/accounting", "/simulator", "/books", "/log", "/abuse", "/switches")
    for path in (*paths, "/invitations", "/approvals", "/queue/bulk"):
        page.goto(f"{site.url}/admin{path}")
        page.evaluate("document.querySelectorAll('main details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() == 1, path


def test_credits_are_given_by_thumb(
    site: Site, olga: User, open_browser: Callable[..., BrowserContext]
) -> None:
    ada = site.person()
    page = open_browser().new_page()
    site.log_in(page, olga)
    page.goto(f"{site.url}/admin/people")
    page.get_by_label("Search").fill("ada@")
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name="Ada").click()
    page.get_by_text("Adjust credits").click()
    page.get_by_label("Dollars").fill("2.50")
    page.locator("#reason-credits").fill("An outage")
    form = page.locator("form", has=page.get_by_label("Dollars"))
    form.get_by_label("Yes, I am sure").check()
    form.get_by_role("button", name="Adjust").click()
    expect(page.get_by_text("The credits were adjusted.")).to_be_visible()
    expect(page.get_by_text("balance: $1.00 → $3.50")).to_be_visible()
    with site.database() as db:
        assert db.get_one(User, ada.id).credits_balance_micros == 3_500_000
