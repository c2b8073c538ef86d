"""An answer looks the same while it is written as when it is done."""

from collections.abc import Callable
from uuid import UUID

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.site import Site
from tests.house import wait_for
from untrusted import rendering
from untrusted.helper import Failed

pytestmark = pytest.mark.xdist_group("browser")

LINES = """run => [...run.querySelectorAll(".answer")].map(one => one.innerText).join("\\n")
    .split("\\n").map(line => line.trim()).filter(line => line && line !== "Copy")"""
HEIGHT = """run => {
  const shown = [...run.querySelectorAll(".answer")].filter(one => one.childElementCount);
  return shown.at(-1).getBoundingClientRect().bottom - shown[0].getBoundingClientRect().top;
}"""
# As the gap between two blocks and that before the unfinished one are not quite the same.
GAP_PX = 4
TEXTS = {
    "a poem": "Roses are red,\nViolets are blue,  \n**Sugar** is sweet.\n\n- Anna\n  Main Street",
    "a table": "Look:\n\n| Month | Spent |\n|---|--:|\n| May | 980 |\n| June | 1,020 |",
    "code that is closed": "Do this:\n\n```python\nx = 1\n\nprint(x)\n```\n\nThat is all.",
    "code that is open": "Do this:\n\n```python\nx = 1\n\nprint(x)\n",
    "lists": "# Plan\n\n1. Open it.\n2. Read *each* line.\n   - skip what is empty\n\n3. Close it.",
    "prose": "It is warm, and it stays so. What else?\n\nNothing, says Ada: it is 5 o'clock.",
    "a quote": "> Kind regards,\n> Anna\n\nShe wrote to https://example.org/a_b_c.",
}


@pytest.fixture
def page(open_browser: Callable[..., BrowserContext]) -> Page:
    return open_browser().new_page()


def renderer_is_ready() -> bool:
    try:
        rendering.advance("*ready*", job_id=UUID(int=1))
    except Failed:
        return False
    return True


def test_streaming_and_final_look_alike(site: Site, page: Page) -> None:
    wait_for(renderer_is_ready, "the renderer")
    ada = site.person()
    for name, text in TEXTS.items():
        job = site.asked(ada, name)
        site.log_in(page, ada, f"/chat/{job.conversation_id}")
        for at in range(0, len(text), 9):
            site.say(job, text[at : at + 9])
        run = page.locator("article.run").last
        html = rendering.render(text, job_id=job.id)
        wanted = page.evaluate(
            "html => { const one = document.createElement('div'); one.className = 'answer';"
            " one.innerHTML = html; document.body.append(one); const text = one.innerText;"
            " one.remove(); return text.split('\\n').map(line => line.trim()).filter(Boolean) }",
            html,
        )
        run_lines = f"run => ({LINES})(run).join('|')"
        expect(run).to_have_attribute("data-state", "writing")
        page.wait_for_function(
            f"([id, wanted]) => ({run_lines})(document.getElementById(id)) === wanted",
            arg=[f"job-{job.id}", "|".join(wanted)],
        )
        height = run.evaluate(HEIGHT)
        site.answer(job, text, html)
        expect(run).to_have_attribute("data-state", "sent")
        assert run.evaluate(LINES) == wanted, name
        assert abs(run.evaluate(HEIGHT) - height) <= GAP_PX, name


def test_nothing_in_an_answer_becomes_markup_of_the_page(site: Site, page: Page) -> None:
    ada = site.person()
    job = site.asked(ada, "Attack me")
    site.log_in(page, ada, f"/chat/{job.conversation_id}")
    site.say(job, "Look <img src=x onerror=document.title='x'> ")
    site.say(job, "**at** <script>document.title='x'</script>\n")
    run = page.locator("article.run").last
    expect(run).to_contain_text("<script>")
    assert run.locator("img, script").count() == 0
    assert page.title() != "x"
