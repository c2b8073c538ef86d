"""The mailbox's page: what came is shown, harmlessly, to whoever knows its whole address."""

from collections.abc import Generator
from pathlib import Path
from urllib.parse import urljoin

import pytest
from pydantic import SecretStr

from gateways.mail import Mail, make_mailer
from settings import Settings
from tests.mailbox import HTTP, Mailbox, own_mailbox

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def box(tmp_path: Path, settings: Settings) -> Generator[Mailbox]:
    """A mailbox with one hostile mail."""
    with own_mailbox(tmp_path / "mail") as (box, url):
        mailer = make_mailer(settings.model_copy(update={"smtp_url": SecretStr(url)}))
        hostile = Mail("1", "ada@example.org", f"Hello {SCRIPT}", SCRIPT, f"<p>Hi</p>{SCRIPT}")
        mailer.send(hostile)
        yield box


def test_what_came_is_listed_and_read_without_running_any_of_it(box: Mailbox) -> None:
    listed = HTTP.get(box.url).text
    assert "ada@example.org" in listed
    address = urljoin(box.url, listed.split('<a href="')[1].partition('"')[0])
    mail = HTTP.get(address)
    for page in (listed, mail.text):
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page
    assert "sandbox" in mail.text
    frame = HTTP.get(f"{address}/html")
    assert "<p>Hi</p>" in frame.text
    policy = frame.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy


def test_nobody_reads_or_changes_anything_without_the_token(box: Mailbox) -> None:
    site, _, token = box.url.rpartition("/")
    paths = ("", "/", "/mails.json", "/mailbox.css", "/mails/1", "/mails/1/html")
    for start in ("", "/guess", f"/{token[:-1]}", f"/{token}x", f"/{token.upper()}x", "/%ff", "/²"):
        for path in paths:
            refused = HTTP.get(f"{site}{start}{path}")
            assert refused.status_code == 404, (start, path)
            assert "ada@example.org" not in refused.text
        for path in ("/emptying", "/_mood"):
            assert HTTP.post(f"{site}{start}{path}", content="refuse").status_code in {404, 405}
    assert len(box.mails("ada@example.org")) == 1
    assert "whole address" in HTTP.get(site).text


def test_nobody_else_can_read_the_files(box: Mailbox, tmp_path: Path) -> None:
    folder = Path(tmp_path, "mail")

    assert box.mails("ada@example.org")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}


@pytest.mark.parametrize("name", ["1", "nothing", "..%2f..%2fcredentials", "%00", "²"])
def test_there_is_nothing_but_mails(box: Mailbox, name: str) -> None:
    assert HTTP.get(f"{box.url}/mails/{name}").status_code == 404


def test_pages_elsewhere_can_neither_read_nor_empty_it(box: Mailbox) -> None:
    renamed = HTTP.get(box.url, headers={"Host": "evil.example"})
    assert renamed.status_code == 421
    elsewhere = HTTP.post(f"{box.url}/emptying", headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert len(box.mails("ada@example.org")) == 1

    assert HTTP.post(f"{box.url}/emptying").status_code == 303
    assert box.mails("ada@example.org") == []
    assert "No mail yet" in HTTP.get(box.url).text
