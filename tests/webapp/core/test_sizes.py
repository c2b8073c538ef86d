"""How large a request may be, and forms that are built to be costly."""

from typing import Any

import pytest
from flask import Flask

from settings import Settings
from tests.fuzz.bodies import BOUNDARY, MULTIPART, URLENCODED, multipart, urlencoded
from tests.fuzz.requests import BROKEN_FORMS
from tests.processor import no_more_than
from tests.webapp.browser import Browser


@pytest.mark.parametrize("path", ["/login", "/signup", "/limits", "/settings/profile", "/nowhere"])
def test_a_form_is_no_larger_than_its_page_needs(
    adas: Browser, settings: Settings, path: str
) -> None:
    long = {"name": "x" * settings.form_max_bytes}
    assert adas.post(path, long).status_code == 413
    whole = adas.post(path, long, content_type="multipart/form-data")
    assert whole.status_code == 413


def test_the_longest_message_fits_in_any_letters(adas: Browser) -> None:
    # Twelve bytes each in a form; each is two characters to JavaScript, and one to us.
    assert adas.post("/chat", {"text": "\U00020000" * 20_000}).status_code == 303
    refused = adas.post("/chat", {"text": "\U00020000" * 20_001})
    assert refused.status_code == 422
    assert "longer than 20,000" in refused.text


@pytest.mark.usefixtures("storage")
def test_a_message_may_bring_files_and_other_forms_may_not(adas: Browser) -> None:
    large = b"a" * (3 * 1024 * 1024)
    headers = {"X-CSRFToken": adas.token()}

    def _post(path: str) -> int:
        body = multipart([("text", "Look"), ("name", "Ada")], [("files", "a.txt", large)])
        sent = adas.client.post(path, data=body, content_type=MULTIPART, headers=headers)
        return sent.status_code

    assert _post("/chat") == 303
    assert _post("/settings/profile") == 413


def test_what_is_sent_in_pieces_is_counted_too(app: Flask, adas: Browser) -> None:
    taken = 0

    class Endless:
        def read(self, size: int = -1) -> bytes:
            nonlocal taken
            taken += max(size, 0)
            return b"a" * size

    environ: dict[str, Any] = {
        "wsgi.input": Endless(),
        "wsgi.input_terminated": True,
        "HTTP_TRANSFER_ENCODING": "chunked",
    }
    sent = adas.client.post("/limits", content_type=URLENCODED, environ_overrides=environ)
    assert sent.status_code == 413
    assert taken < 1024 * 1024


@pytest.mark.parametrize("path", ["/login", "/chat"])
@pytest.mark.parametrize("kind", [URLENCODED, MULTIPART])
def test_a_form_has_no_more_fields_than_a_page_could_need(
    adas: Browser, settings: Settings, path: str, kind: str
) -> None:
    fields = [("a", "")] * (settings.form_max_fields + 1)
    body = multipart(fields, []) if kind == MULTIPART else urlencoded(fields).encode()
    headers = {"X-CSRFToken": adas.token()}
    sent = adas.client.post(path, data=body, content_type=kind, headers=headers)
    assert sent.status_code == 413


def test_a_body_of_a_page_that_takes_none_is_not_read_either(
    adas: Browser, settings: Settings
) -> None:
    body = b"a" * (settings.form_max_bytes + 1)
    assert adas.get("/settings", data=body, content_type=URLENCODED).status_code == 413


@pytest.mark.parametrize("at", range(len(BROKEN_FORMS)))
@pytest.mark.parametrize("path", ["/chat", "/limits"])
def test_broken_forms_are_refused_quickly(adas: Browser, path: str, at: int) -> None:
    kind, body = BROKEN_FORMS[at]
    headers = {"X-CSRFToken": adas.kept_token()}
    with no_more_than(1):
        sent = adas.client.post(path, data=body, content_type=kind, headers=headers)
    assert sent.status_code < 500


def test_parts_of_a_form_may_be_nested_without_end(adas: Browser) -> None:
    part = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="a"\r\n'.encode()
    body = part * 2_000 + b"\r\n"
    headers = {"X-CSRFToken": adas.token()}
    sent = adas.client.post("/chat", data=body, content_type=MULTIPART, headers=headers)
    assert sent.status_code in {400, 413, 422}
