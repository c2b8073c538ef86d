"""A browser without a screen: it keeps cookies and fills in the hidden token of a form."""

import re
from html import unescape
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests import factories

TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)">')


class Browser:
    def __init__(self, app: Flask) -> None:
        self.client = app.test_client()
        self._token = ""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self.client.get(path, **kwargs)

    def read(self, path: str) -> str:
        """Open a page that must be there and return it as people read it."""
        answer = self.get(path)
        assert answer.status_code == 200, f"{path} answered {answer.status}"
        return unescape(answer.text)

    def token(self) -> str:
        found = TOKEN.search(self.get("/").text)
        assert found
        return unescape(found[1])

    def kept_token(self) -> str:
        """The token of this login, asked for once."""
        self._token = self._token or self.token()
        return self._token

    def post(self, path: str, form: dict[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        return self.client.post(path, data={"csrf_token": self.token(), **(form or {})}, **kwargs)

    def post_part(self, path: str, form: dict[str, Any] | None = None) -> TestResponse:
        """Post as HTMX does: the token in a header, a part of a page wanted back."""
        headers = {"HX-Request": "true", "X-CSRFToken": self.token()}
        return self.client.post(path, data=form or {}, headers=headers)

    def sign_up(self, email: str, password: str = factories.PASSWORD) -> TestResponse:
        return self.post("/signup", {"email": email, "password": password})

    def log_in(self, email: str, password: str = factories.PASSWORD, **form: str) -> TestResponse:
        return self.post("/login", {"email": email, "password": password, **form})
