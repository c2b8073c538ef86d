"""Scripts are modules: pages preload all that they load, under names that may be kept for ever."""

import json
import re

from tests.webapp.browser import Browser
from webapp.core import assets, es_modules

FOR_EVER = "immutable"


def preloaded(page: str) -> set[str]:
    return set(re.findall(r'<link rel="modulepreload" href="([^"]+)">', page))


def entries(page: str) -> list[str]:
    return re.findall(r'<script type="module" src="([^"]+)"></script>', page)


def test_a_page_preloads_all_that_its_modules_import(adas: Browser) -> None:
    page = adas.get("/chat/new").text
    asked = {assets.address(name) for name in ("dom.js", "chat-draw.js", "live.js", "drafts.js")}
    assert asked <= preloaded(page)
    assert assets.address("chat.js") in entries(page)
    for address in (*preloaded(page), *entries(page)):
        assert FOR_EVER in adas.get(address).headers["Cache-Control"]


def test_the_import_map_gives_every_module_its_versioned_name(browser: Browser) -> None:
    page = browser.get("/").text
    found = re.search(r'<script type="importmap" nonce="[\w-]+">(.*?)</script>', page)
    assert found
    addresses = json.loads(found[1])["imports"]
    assert addresses == {
        f"/static/{path.name}": assets.address(path.name) for path in assets.FOLDER.glob("*.js")
    }
    # It comes before any module, or a browser would not heed it.
    assert page.index("importmap") < page.index("modulepreload")


def test_what_is_imported_over_another_module_is_found_too() -> None:
    assert assets.address("dom.js") in es_modules.scripts("chat.js")
    assert es_modules.scripts("top-up.js").count("modulepreload") == 1


def test_every_import_is_of_a_module_that_is_there() -> None:
    for path in assets.FOLDER.glob("*.js"):
        es_modules.scripts(path.name)
        relative = re.findall(r'"(\./[^"]+)"', path.read_text())
        assert {name.removeprefix("./") for name in relative} == set(
            es_modules.IMPORT.findall(path.read_text())
        )
