"""Static files under names that change with their content."""

import gzip
import re

import pytest
from flask import Flask

from tests.webapp.browser import Browser
from webapp.core import assets


def test_a_files_address_holds_the_hash_of_its_content(browser: Browser) -> None:
    address = assets.address("app.css")
    assert re.fullmatch(r"/static/app\.[0-9a-f]{8}\.css", address)
    answer = browser.get(address)
    assert answer.mimetype == "text/css"
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("name", ["app.css", "app.00000000.css"])
def test_another_name_gets_todays_file_but_is_asked_for_again(browser: Browser, name: str) -> None:
    answer = browser.get(f"/static/{name}")
    assert answer.data == browser.get(assets.address("app.css")).data
    assert "no-cache" in answer.headers["Cache-Control"]
    known = browser.get(f"/static/{name}", headers={"If-None-Match": answer.headers["ETag"]})
    assert (known.status_code, known.data) == (304, b"")


def test_text_is_squeezed_for_who_can_read_that(browser: Browser) -> None:
    plain = browser.get("/static/app.css")
    squeezed = browser.get("/static/app.css", headers={"Accept-Encoding": "gzip"})
    assert gzip.decompress(squeezed.data) == plain.data
    assert squeezed.headers["ETag"] != plain.headers["ETag"]
    assert "Accept-Encoding" in squeezed.headers["Vary"]


def test_a_shared_cache_may_keep_a_file_that_a_member_asked_for(adas: Browser) -> None:
    answer = adas.get(assets.address("app.css"))
    assert "Set-Cookie" not in answer.headers
    assert "Cookie" not in answer.headers["Vary"]


@pytest.mark.parametrize("name", ["nothing.js", "../settings.py", "%2e%2e/settings.py", "vendor"])
def test_nothing_else_is_served(browser: Browser, name: str) -> None:
    assert browser.get(f"/static/{name}").status_code == 404


def test_a_template_that_names_a_missing_file_fails(app: Flask) -> None:
    with pytest.raises(FileNotFoundError):
        assets.address("nothing.css")
