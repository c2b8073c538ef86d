"""What the log keeps of a request, and what it must not."""

import pytest
from structlog.testing import capture_logs

from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser


def test_a_request_leaves_one_line_without_anything_private(
    browser: Browser, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = browser.token()
    with capture_logs() as lines:
        form = {"email": ada.email, "password": factories.PASSWORD, "csrf_token": token}
        browser.client.post("/login?next=/settings%3Fcode=4321", data=form)
        browser.get("/settings")
        browser.get("/healthz")
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("POST", "/login", 303),
        ("GET", "/settings", 200),
    ]
    assert lines[1]["user_id"] == str(ada.id)
    for secret in ("4321", factories.PASSWORD, ada.email, token):
        assert secret not in str(lines)
