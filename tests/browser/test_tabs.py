"""Several tabs of a browser share one stream, and none of them misses anything."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")

HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { get: () => hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""


def answer(page: Page) -> str:
    return page.locator("article.run").last.inner_text()


@pytest.fixture
def browser(open_browser: Callable[..., BrowserContext]) -> BrowserContext:
    return open_browser()


def test_eight_open_conversations_leave_the_site_usable(
    site: Site, browser: BrowserContext
) -> None:
    ada = site.person()
    talks = [site.conversation(ada, f"Talk {number}") for number in range(8)]
    first = browser.new_page()
    site.log_in(first, ada, f"/chat/{talks[0]}")
    pages = [first]
    for talk in talks[1:]:
        pages.append(browser.new_page())
        pages[-1].goto(f"{site.url}/chat/{talk}")
    pages[-1].goto(f"{site.url}/limits")

    # A tab that has no stream of its own learns what is told all the same.
    job = site.asked(ada, "And now?", talks[0])
    site.say(job, "It is told.")
    expect(first.locator("article.run").last).to_contain_text("It is told.")
    site.answer(job, "All of it was told.")
    expect(first.locator("article.run").last).to_have_attribute("data-state", "sent")
    assert "All of it was told." in answer(first)


def test_logging_out_leaves_nothing_on_other_tabs(site: Site, browser: BrowserContext) -> None:
    ada = site.person()
    talk = site.conversation(ada, "Only mine")
    page, other = browser.new_page(), browser.new_page()
    site.log_in(page, ada, f"/chat/{talk}")
    other.goto(f"{site.url}/logout")
    other.get_by_role("main").get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login**")
    expect(page.locator("body")).not_to_contain_text("Only mine")


def test_the_tab_that_is_looked_at_has_the_stream(site: Site, browser: BrowserContext) -> None:
    ada = site.person()
    page, other = browser.new_page(), browser.new_page()
    site.log_in(page, ada, f"/chat/{site.conversation(ada, 'One')}")
    expect_stream(page)
    other.goto(f"{site.url}/chat/{site.conversation(ada, 'Two')}")
    expect_stream(other)
    expect_stream(page, is_open=False)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect_stream(page)
    expect_stream(other, is_open=False)
    # What one leaves another takes, if it can be seen.
    page.close()
    expect_stream(other)


def test_a_hidden_tab_rests_and_goes_on_where_it_was(site: Site, browser: BrowserContext) -> None:
    ada = site.person()
    job = site.asked(ada, "Tell me")
    page = browser.new_page()
    site.log_in(page, ada, f"/chat/{job.conversation_id}")
    site.say(job, "Once ")
    expect(page.locator("[data-tail]")).to_contain_text("Once")
    page.evaluate(HIDE, True)
    expect_stream(page, is_open=False)
    site.say(job, "upon a time.")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.evaluate(HIDE, False)
    expect(page.locator("[data-tail]")).to_have_text("Once upon a time.")
    [stream] = [url for url in asked if "/events" in url]
    assert str(job.id) in stream


def test_a_refused_stream_is_asked_for_instead(site: Site, browser: BrowserContext) -> None:
    ada = site.person()
    job = site.asked(ada, "Tell me")
    page = browser.new_page()
    page.route("**/events?*", _refuse_streams)
    site.log_in(page, ada, f"/chat/{job.conversation_id}")
    site.say(job, "Told without a stream.")
    expect(page.locator("[data-tail]")).to_have_text("Told without a stream.")
    page.unroute("**/events?*")
    expect_stream(page)


def test_what_is_over_is_not_drawn_again_by_asking(site: Site, browser: BrowserContext) -> None:
    ada = site.person()
    page = browser.new_page()
    page.route("**/events?*", _refuse_streams)
    site.log_in(page, ada, f"/chat/{site.conversation(ada, 'One')}")
    page.locator("article.run").evaluate("run => (run.isOld = true)")
    with page.expect_response(lambda heard: "once" in heard.url) as asked:
        page.evaluate("import('/static/live.js').then(live => live.ask())")
    assert "event: exchange" in asked.value.text()
    assert page.locator("article.run").evaluate("run => run.isOld === true")


def _refuse_streams(route: Route) -> None:
    if "once" in route.request.url:
        route.continue_()
    else:
        route.fulfill(status=429, headers={"Retry-After": "1"}, body="")


def expect_stream(page: Page, *, is_open: bool = True) -> None:
    page.wait_for_function(
        "async isOpen => (await import('/static/live.js')).isOpen() === isOpen", arg=is_open
    )
