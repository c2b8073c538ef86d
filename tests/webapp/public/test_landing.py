"""What strangers and machines see."""

import re

from settings import Settings
from tests.webapp.browser import Browser


def test_the_landing_page_says_what_it_is_and_what_it_costs(
    browser: Browser, settings: Settings
) -> None:
    page = browser.read("/")
    assert settings.product_name in page
    assert f"${settings.sign_up_grant_micros / 1_000_000:.2f}" in page
    assert f"{settings.margin_percent} ¢" in page
    assert 'href="/signup"' in page
    assert 'href="/login"' in page


def test_who_is_logged_in_is_led_to_the_chat(adas: Browser) -> None:
    page = adas.read("/")
    assert 'href="/chat"' in page
    assert adas.get("/").headers["Cache-Control"] == "no-store"


def test_search_engines_stay_before_the_door(browser: Browser) -> None:
    assert "Disallow: /chat" in browser.read("/robots.txt")


def test_a_phone_can_install_the_site(browser: Browser, settings: Settings) -> None:
    answer = browser.get("/manifest.webmanifest")
    assert answer.mimetype == "application/manifest+json"
    assert answer.json
    assert answer.json["name"] == settings.product_name
    for icon in answer.json["icons"]:
        assert browser.get(icon["src"]).mimetype == "image/png"
    assert browser.get(browser.get("/favicon.ico").location).mimetype == "image/svg+xml"


def test_every_file_that_a_page_needs_is_there_and_may_be_kept(browser: Browser) -> None:
    page = browser.read("/")
    files = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', page))
    assert len(files) >= 7
    for name in files:
        answer = browser.get(name)
        assert answer.status_code == 200, name
        assert "immutable" in answer.headers["Cache-Control"], name
