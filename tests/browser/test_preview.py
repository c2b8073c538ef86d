"""What is shown of an answer while it is written has the line breaks that the finished one has."""

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.site import Site

pytestmark = pytest.mark.xdist_group("browser")

DRAW = """async text => {
  const { drawPreview } = await import("/static/chat-preview.js");
  const tail = document.createElement("div");
  tail.className = "answer tail";
  document.getElementById("exchanges").append(tail);
  drawPreview(tail, text);
  return tail.innerText;
}"""


@pytest.fixture
def page(site: Site, open_browser: Callable[..., BrowserContext]) -> Page:
    page = open_browser().new_page()
    site.log_in(page, site.person(), "/chat/new")
    return page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Roses are red,\nViolets are blue,  \nSugar is sweet.", None),
        ("- Anna Smith\n  Main Street 5\n  Berlin", "Anna Smith\nMain Street 5\nBerlin"),
        ("> Kind regards,\n> Anna", "Kind regards,\nAnna"),
        ("**Both\nlines** are bold", "Both\nlines are bold"),
    ],
)
def test_line_breaks_stay_while_it_is_written(page: Page, text: str, shown: str | None) -> None:
    wanted = (shown or text).splitlines()
    lines = [line.strip() for line in page.evaluate(DRAW, text).splitlines()]
    assert [line for line in lines if line] == [line.strip() for line in wanted]


def test_quotes_in_quotes_without_end_are_drawn(page: Page) -> None:
    assert "deep" in page.evaluate(DRAW, f"{'>' * 20_000} deep")
    assert "`x" in page.evaluate(DRAW, "`a` " * 20_000 + "`x")
