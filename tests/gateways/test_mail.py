"""Mail as servers see it: over a socket, whole, and refused in the right way."""

import json
import threading
from base64 import b64decode
from collections.abc import Generator
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr, ValidationError

from embedded.ports import free_port
from gateways.mail import Mail, MailFailed, compose, make_mailer
from settings import Settings
from tests.mailbox import Mailbox, own_mailbox

HELLO = Mail("018f", "ada@example.org", "Grüße – 10 €", "Plain words. Ä", "<p>Words <b>Ä</b></p>")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Generator[tuple[Mailbox, str]]:
    with own_mailbox(tmp_path_factory.mktemp("mail")) as (box, url):
        yield box, url


@pytest.fixture
def box(served: tuple[Mailbox, str]) -> Generator[Mailbox]:
    yield served[0]
    served[0].be("well")


@pytest.fixture
def by_smtp(settings: Settings, served: tuple[Mailbox, str]) -> Settings:
    return settings.model_copy(
        update={"smtp_url": SecretStr(served[1]), "mail_from": "post@shellmate.example"}
    )


def test_a_mail_arrives_with_both_parts(box: Mailbox, by_smtp: Settings) -> None:
    make_mailer(by_smtp).send(HELLO)

    (mail,) = box.mails("ada@example.org")
    assert mail.subject == "Grüße – 10 €"
    assert mail.sender == f"{by_smtp.product_name} <post@shellmate.example>"
    assert mail.text.strip() == "Plain words. Ä"
    assert mail.html.strip() == "<p>Words <b>Ä</b></p>"


def test_a_copy_bears_the_same_id_and_asks_for_no_answer(settings: Settings) -> None:
    one, two = compose(HELLO, settings), compose(HELLO, settings)
    assert one["Message-ID"] == two["Message-ID"] == "<018f@localhost>"
    assert one["Auto-Submitted"] == "auto-generated"


def test_a_domain_with_umlauts_is_written_as_every_server_knows_it(settings: Settings) -> None:
    mail = Mail("1", "ada@bücher.example", "Hello", "Hello", "Hello")
    assert str(compose(mail, settings)["To"]) == "ada@xn--bcher-kva.example"


def test_a_domain_with_a_sharp_s_is_not_that_of_somebody_else(settings: Settings) -> None:
    mail = Mail("1", "ada@faß.example", "Hello", "Hello", "Hello")
    assert str(compose(mail, settings)["To"]) == "ada@xn--fa-hia.example"


def test_a_mailbox_with_other_letters_gets_mail_from_a_server_that_knows_them(
    box: Mailbox, by_smtp: Settings
) -> None:
    make_mailer(by_smtp).send(Mail("1", "é@bücher.example", "Hello", "Hello", "Hello"))
    assert [mail.subject for mail in box.mails("é@xn--bcher-kva.example")] == ["Hello"]


def test_a_server_that_knows_no_other_letters_is_asked_once(by_smtp: Settings) -> None:
    kept: list[str] = []

    class Keeping:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
            kept.append(envelope.rcpt_tos[0])
            return "250 Kept"

    old = Controller(Keeping(), "127.0.0.1", port=free_port(), enable_SMTPUTF8=False)
    old.start()
    try:
        url = SecretStr(f"smtp+plain://127.0.0.1:{old.port}")
        mailer = make_mailer(by_smtp.model_copy(update={"smtp_url": url}))
        mailer.send(HELLO)
        with pytest.raises(MailFailed) as failure:
            mailer.send(Mail("1", "é@example.org", "Hello", "Hello", "Hello"))
    finally:
        old.stop()
    assert failure.value.is_permanent
    assert kept == ["ada@example.org"]


@pytest.mark.parametrize(
    ("recipient", "subject"),
    [
        ("ada@example.org\r\nBcc: eve@example.org", "Hello"),
        ("ada@example.org, eve@example.org", "Hello"),
        ("ada@example.org", "Hello\r\nBcc: eve@example.org"),
        ("ada@example.org", "Hello\nBcc: eve@example.org"),
        ("no address", "Hello"),
        ("ada@" + "x" * 64 + ".example", "Hello"),
        ("é@example.org\r\nBcc: eve@example.org", "Hello"),
        ("é@example.org, eve@example.org", "Hello"),
        ("é, eve@example.org", "Hello"),
        ("", "Hello"),
    ],
)
def test_nobody_adds_a_header_or_a_recipient(
    box: Mailbox, by_smtp: Settings, recipient: str, subject: str
) -> None:
    handed_in = box.handed_in()
    with pytest.raises(MailFailed) as refused:
        make_mailer(by_smtp).send(Mail("1", recipient, subject, "Hello", "Hello"))
    assert refused.value.is_permanent
    assert box.handed_in() == handed_in


@pytest.mark.parametrize(
    ("mood", "is_permanent"), [("refuse", True), ("later", False), ("vanish", False)]
)
def test_a_server_that_does_not_take_a_mail_is_believed(
    box: Mailbox, by_smtp: Settings, mood: str, is_permanent: bool
) -> None:
    box.be(mood)
    with pytest.raises(MailFailed) as failure:
        make_mailer(by_smtp).send(HELLO)
    assert failure.value.is_permanent is is_permanent


def test_a_server_that_is_away_is_no_reason_to_give_up(settings: Settings) -> None:
    away = {"smtp_url": SecretStr(f"smtp+plain://127.0.0.1:{free_port()}")}
    with pytest.raises(MailFailed) as failure:
        make_mailer(settings.model_copy(update=away)).send(HELLO)
    assert not failure.value.is_permanent


def test_a_server_without_encryption_gets_nothing_by_default(
    box: Mailbox, by_smtp: Settings, served: tuple[Mailbox, str]
) -> None:
    handed_in = box.handed_in()
    encrypted = SecretStr(served[1].replace("smtp+plain://", "smtp://ada:secret@"))
    with pytest.raises(MailFailed, match="STARTTLS") as failure:
        make_mailer(by_smtp.model_copy(update={"smtp_url": encrypted})).send(HELLO)
    assert not failure.value.is_permanent
    assert "secret" not in str(failure.value)
    assert box.handed_in() == handed_in


def test_without_a_server_mail_waits(settings: Settings) -> None:
    with pytest.raises(MailFailed, match="SMTP_URL") as failure:
        make_mailer(settings.model_copy(update={"smtp_url": None})).send(HELLO)
    assert not failure.value.is_permanent


def test_a_sender_that_is_wrong_is_no_fault_of_the_mail(by_smtp: Settings) -> None:
    """Its text would go for ever; the settings refuse most such senders at the start."""
    for wrong in ({"mail_from": "Shellmate <a@example.org>"}, {"product_name": "Shell\r\nmate"}):
        with pytest.raises(MailFailed, match="MAIL_FROM") as failure:
            make_mailer(by_smtp.model_copy(update=wrong)).send(HELLO)
        assert not failure.value.is_permanent


@pytest.mark.parametrize(("said", "is_permanent"), [("550 Not yours", False), ("552 Large", True)])
def test_a_sender_that_a_server_does_not_know_is_no_fault_of_the_mail(
    by_smtp: Settings, said: str, is_permanent: bool
) -> None:
    class Strict:
        async def handle_MAIL(self, *_: Any) -> str:  # noqa: N802
            return said

    strict = Controller(Strict(), "127.0.0.1", port=free_port())
    strict.start()
    try:
        url = SecretStr(f"smtp+plain://127.0.0.1:{strict.port}")
        with pytest.raises(MailFailed) as failure:
            make_mailer(by_smtp.model_copy(update={"smtp_url": url})).send(HELLO)
    finally:
        strict.stop()
    assert failure.value.is_permanent is is_permanent


@pytest.mark.parametrize(
    "sender", ["Shellmate <a@example.org>", "hello", "a@", "@b.org", "a@b@c", "a@b.org\r\nx", ""]
)
def test_a_sender_that_is_no_address_is_refused_at_the_start(
    settings: Settings, sender: str
) -> None:
    with pytest.raises(ValidationError, match="an address alone"):
        Settings.model_validate({**settings.model_dump(), "mail_from": sender})


@pytest.mark.parametrize("url", ["http://mail.example", "mail.example:25", "smtp://"])
def test_a_server_that_is_none_is_refused_at_the_start(settings: Settings, url: str) -> None:
    with pytest.raises(ValidationError, match="smtps, smtp, smtp"):
        Settings.model_validate({**settings.model_dump(), "smtp_url": url})


class Ses:
    """Amazon's service as far as it is used: it takes a raw message, or says why not."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.answer: tuple[int, dict[str, str]] = (200, {"MessageId": "1"})


@pytest.fixture
def ses(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Ses, Settings]]:
    service = Ses()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            service.asked.append(json.loads(self.rfile.read(length)))
            status, body = service.answer
            self.send_response(status)
            self.send_header("x-amzn-ErrorType", body.get("__type", ""))
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    url = f"http://127.0.0.1:{server.server_port}"
    yield service, settings.model_copy(update={"mail_by_ses": True, "ses_endpoint_url": url})
    server.shutdown()
    server.server_close()


def test_ses_gets_the_same_message(ses: tuple[Ses, Settings]) -> None:
    service, settings = ses
    make_mailer(settings).send(HELLO)

    (asked,) = service.asked
    assert asked["Destination"] == {"ToAddresses": ["ada@example.org"]}
    raw = b64decode(asked["Content"]["Raw"]["Data"])
    message = message_from_bytes(raw, policy=policy.default)
    assert message["Subject"] == "Grüße – 10 €"
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().strip() == "Plain words. Ä"


NOT_YET = (
    "Email address is not verified. The following identities failed the check in region US-EAST-1:"
    " hello@shellmate.example"
)


@pytest.mark.parametrize(
    ("status", "code", "said", "is_permanent"),
    [
        (400, "MessageRejected", "no", True),
        (400, "MessageRejected", NOT_YET, False),
        (400, "AccountSuspendedException", "no", False),
        (429, "TooManyRequestsException", "no", False),
        (503, "ServiceUnavailable", "no", False),
    ],
)
def test_ses_is_asked_once_and_its_refusal_is_understood(
    ses: tuple[Ses, Settings], status: int, code: str, said: str, is_permanent: bool
) -> None:
    service, settings = ses
    service.answer = (status, {"__type": code, "message": said})
    with pytest.raises(MailFailed) as failure:
        make_mailer(settings).send(HELLO)
    assert failure.value.is_permanent is is_permanent
    assert len(service.asked) == 1


def test_what_was_kept_is_there_after_a_restart(tmp_path: Path, settings: Settings) -> None:
    with own_mailbox(tmp_path) as (_, url):
        make_mailer(settings.model_copy(update={"smtp_url": SecretStr(url)})).send(HELLO)
    with own_mailbox(tmp_path) as (box, _):
        assert [mail.subject for mail in box.mails("ada@example.org")] == ["Grüße – 10 €"]
