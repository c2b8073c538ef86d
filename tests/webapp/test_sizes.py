"""How large a request may be, and forms that are built to be costly."""

from settings import get_settings
from tests.webapp.browser import Browser

FORM = get_settings().form_max_bytes if False else 128 * 1024


def test_a_form_is_no_larger_than_a_page_needs(browser: Browser) -> None:
    pass
