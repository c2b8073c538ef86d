"""The mailbox's page: what came is shown, harmlessly, to whoever asks by this machine's name."""

from collections.abc import Generator

import httpx2
import pytest
from pydantic import SecretStr

from gateways.mail import Mail, make_mailer
from settings import Settings
from tests.mailbox import Mailbox, own_mailbox

SCRIPT = "<script>alert(1)</script>"


@pytest.fixture
def box(tmp_path_factory: pytest.TempPathFactory, settings: Settings) -> Generator[Mailbox]:
    """A mailbox with one hostile mail."""
    with own_mailbox(tmp_path_factory.mktemp("mail")) as (box, url):
        mailer = make_mailer(settings.model_copy(update={"smtp_url": SecretStr(url)}))
        hostile = Mail("1", "ada@example.org", f"Hello {SCRIPT}", SCRIPT, f"<p>Hi</p>{SCRIPT}")
        mailer.send(hostile)
        yield box


def test_what_came_is_listed_and_read_without_running_any_of_it(box: Mailbox) -> None:
    listed = httpx2.get(box.url).text
    assert "ada@example.org" in listed
    address = box.url + listed.split('<a href="')[1].partition('"')[0]
    mail = httpx2.get(address)
    for page in (listed, mail.text):
        assert SCRIPT not in page
        assert "&lt;script&gt;" in page
    assert "sandbox" in mail.text
    frame = httpx2.get(f"{address}/html")
    assert "<p>Hi</p>" in frame.text
    policy = frame.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy


@pytest.mark.parametrize("name", ["1", "nothing", "..%2f..%2fcredentials", "%00", "²"])
def test_there_is_nothing_but_mails(box: Mailbox, name: str) -> None:
    assert httpx2.get(f"{box.url}/mails/{name}").status_code == 404


def test_pages_elsewhere_can_neither_read_nor_empty_it(box: Mailbox) -> None:
    renamed = httpx2.get(box.url, headers={"Host": "evil.example"})
    assert renamed.status_code == 421
    elsewhere = httpx2.post(f"{box.url}/emptying", headers={"Sec-Fetch-Site": "cross-site"})
    assert elsewhere.status_code == 403
    assert len(box.mails("ada@example.org")) == 1

    assert httpx2.post(f"{box.url}/emptying").status_code == 303
    assert box.mails("ada@example.org") == []
    assert "No mail yet" in httpx2.get(box.url).text
