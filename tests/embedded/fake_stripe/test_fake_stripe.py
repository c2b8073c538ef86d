"""The Stripe stand-in: what it keeps, what it refuses, and how it tells."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from embedded.fake_stripe.deliveries import signature
from embedded.fake_stripe.forms import decode
from settings import PROJECT_DIR
from tests.embedded.fake_stripe.served import HTTP, SECRET, ServedStripe, served_stripe
from tests.embedded.stand_ins import wait_until


class Ear:
    """A server that hears webhooks, and refuses as many as it is told to."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.proofs: list[tuple[bytes, str]] = []
        self.refusals = 0
        ear = self

        class _Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                payload = self.rfile.read(int(self.headers["Content-Length"]))
                refuses = ear.refusals > 0
                ear.refusals -= refuses
                self.send_response(503 if refuses else 200)
                self.end_headers()
                if not refuses:
                    ear.proofs.append((payload, self.headers["Stripe-Signature"]))
                    ear.heard.append(json.loads(payload))

            def log_message(self, *_: object) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook"

    def kinds(self) -> list[str]:
        return [event["type"] for event in self.heard]


@pytest.fixture
def ear(stripe: ServedStripe) -> Generator[Ear]:
    ear = Ear()
    stripe.aim(ear.url)
    yield ear
    ear.server.shutdown()
    ear.server.server_close()


def session(stripe: ServedStripe, *, saves_card: bool = False) -> dict[str, Any]:
    customer = stripe.api("POST", "customers", email="ada@example.org").json()["id"]
    saving = {"payment_intent_data[setup_future_usage]": "off_session"} if saves_card else {}
    made = stripe.api(
        "POST",
        "checkout/sessions",
        **{
            "mode": "payment",
            "customer": customer,
            "success_url": "http://127.0.0.1/done",
            "cancel_url": "http://127.0.0.1/back",
            "line_items[0][price_data][currency]": "usd",
            "line_items[0][price_data][unit_amount]": "1000",
            "line_items[0][price_data][product_data][name]": "<b>Credits</b>",
            **saving,
        },
    )
    assert made.status_code == 200, made.text
    return made.json()


def test_forms_nest() -> None:
    pairs = [("a[b][0][c]", "1"), ("a[b][1][c]", "2"), ("d", "3"), ("e[f]", "4")]
    assert decode(pairs) == {"a": {"b": [{"c": "1"}, {"c": "2"}]}, "d": "3", "e": {"f": "4"}}


def test_a_key_is_needed(stripe: ServedStripe) -> None:
    assert HTTP.get(f"{stripe.url}/v1/events").status_code == 401


def test_the_same_key_gives_the_same_answer_and_other_words_are_refused(
    stripe: ServedStripe,
) -> None:
    first = stripe.api("POST", "customers", key="k1", email="a@example.org")
    again = stripe.api("POST", "customers", key="k1", email="a@example.org")
    other = stripe.api("POST", "customers", key="k1", email="b@example.org")

    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (other.status_code, other.json()["error"]["type"]) == (400, "idempotency_error")


def test_a_refusal_is_kept_under_its_key_too(stripe: ServedStripe) -> None:
    paid = session(stripe, saves_card=True)
    stripe.pay(paid["id"], "0341")
    cards = stripe.api("GET", f"customers/{paid['customer']}/payment_methods").json()["data"]
    form = {"amount": "500", "customer": paid["customer"], "payment_method": cards[0]["id"]}

    first = stripe.api("POST", "payment_intents", key="k2", **form)
    again = stripe.api("POST", "payment_intents", key="k2", **form)

    assert (first.status_code, first.json()["error"]["code"]) == (402, "card_declined")
    assert again.json() == first.json()


def test_the_page_says_that_no_money_moves_and_escapes_what_it_shows(stripe: ServedStripe) -> None:
    page = HTTP.get(session(stripe)["url"]).text

    assert "No real money moves" in page
    assert "<b>Credits" not in page
    assert "$10.00" in page


def test_a_paid_page_leads_back_and_cannot_be_paid_again(stripe: ServedStripe) -> None:
    url = session(stripe)["url"]

    paid = HTTP.post(url, data={"card": "4242"})

    assert (paid.status_code, paid.headers["Location"]) == (303, "http://127.0.0.1/done")
    assert HTTP.post(url, data={"card": "4242"}).status_code == 410


def test_a_declined_card_leaves_the_page_open(stripe: ServedStripe) -> None:
    url = session(stripe)["url"]

    declined = HTTP.post(url, data={"card": "0002"})

    assert declined.status_code == 402
    assert "was declined" in declined.text
    assert HTTP.post(url, data={"card": "4242"}).status_code == 303


def test_a_bank_that_asks_its_customer_is_answered(stripe: ServedStripe) -> None:
    url = session(stripe)["url"]

    asked = HTTP.post(url, data={"card": "3155"})
    assert "is this you?" in asked.text
    assert HTTP.post(url, data={"card": "3155", "consent": "no"}).status_code == 402
    assert HTTP.post(url, data={"card": "3155", "consent": "yes"}).status_code == 303


def test_webhooks_are_signed_and_told_until_they_are_heard(stripe: ServedStripe, ear: Ear) -> None:
    ear.refusals = 2
    paid = session(stripe)
    stripe.pay(paid["id"])

    wait_until(lambda: len(ear.heard) == 3)
    assert sorted(ear.kinds()) == [
        "charge.succeeded",
        "checkout.session.completed",
        "payment_intent.succeeded",
    ]
    for payload, proof in ear.proofs:
        at = int(proof.partition("t=")[2].partition(",")[0])
        assert proof == signature(payload, SECRET, at)


def test_deliveries_can_be_repeated_late_and_backwards(stripe: ServedStripe, ear: Ear) -> None:
    stripe.switch(copies=2, delay_seconds=0.3, reorder=True)
    began = time.monotonic()
    stripe.pay(session(stripe)["id"])

    wait_until(lambda: len(ear.heard) == 6)
    assert time.monotonic() - began > 0.3
    assert ear.kinds()[::2] == [
        "checkout.session.completed",
        "payment_intent.succeeded",
        "charge.succeeded",
    ]


def test_what_is_lost_stands_in_the_list(stripe: ServedStripe, ear: Ear) -> None:
    stripe.switch(lose=True)
    paid = session(stripe)
    stripe.pay(paid["id"])

    told = stripe.events("checkout.session.completed")[-1]
    assert told["data"]["object"]["id"] == paid["id"]
    assert ear.heard == []
    stripe.act(f"events/{told['id']}/delivery")
    wait_until(lambda: len(ear.heard) == 1)


def test_refunds_add_up_and_end_at_what_was_paid(stripe: ServedStripe) -> None:
    paid = session(stripe)
    intent = stripe.pay(paid["id"])["payment_intent"]

    assert stripe.api("POST", "refunds", payment_intent=intent, amount="300").status_code == 200
    assert stripe.api("POST", "refunds", payment_intent=intent, amount="701").status_code == 400
    assert stripe.api("POST", "refunds", payment_intent=intent).json()["amount"] == 700
    assert stripe.events("charge.refunded")[-1]["data"]["object"]["amount_refunded"] == 1000


def test_a_refund_fails_once_and_can_be_made_again(stripe: ServedStripe) -> None:
    intent = stripe.pay(session(stripe)["id"])["payment_intent"]
    refund = stripe.api("POST", "refunds", payment_intent=intent).json()["id"]

    assert stripe.act(f"refunds/{refund}/failure")["status"] == "failed"
    assert HTTP.post(f"{stripe.url}/_control/refunds/{refund}/failure").status_code == 400
    assert stripe.events("refund.failed")[-1]["data"]["object"]["id"] == refund
    assert stripe.api("POST", "refunds", payment_intent=intent).json()["amount"] == 1000


def test_a_restart_forgets_nothing_and_tells_the_rest(tmp_path: Path) -> None:
    ear = Ear()
    data = tmp_path / "stripe" / "account.sqlite"
    with served_stripe(data, "--webhook-url", "http://127.0.0.1:9/nobody") as before:
        paid = session(before)
        customer = before.api("POST", "customers", key="k", email="a@example.org").json()
        before.pay(paid["id"])
        before.process.kill()
    with served_stripe(data, "--webhook-url", ear.url) as after:
        kept = after.api("GET", f"checkout/sessions/{paid['id']}").json()
        again = after.api("POST", "customers", key="k", email="a@example.org").json()
        assert kept["payment_status"] == "paid"
        assert again == customer
        wait_until(lambda: len(ear.heard) == 3)
    ear.server.shutdown()
    ear.server.server_close()


def test_what_it_is_told_to_forget_is_gone(stripe: ServedStripe) -> None:
    paid = session(stripe)
    stripe.pay(paid["id"])

    stripe.reset()

    assert stripe.events() == []
    assert stripe.api("GET", f"checkout/sessions/{paid['id']}").status_code == 404


def test_nobody_else_can_read_what_it_keeps(tmp_path: Path) -> None:
    data = tmp_path / "stripe" / "account.sqlite"
    data.parent.mkdir()
    data.touch(mode=0o644)
    with served_stripe(data) as running:
        session(running)
        files = list(data.parent.iterdir())
        modes = {path.name: path.stat().st_mode & 0o777 for path in files}

    assert len(files) > 1, "the database and its log"
    assert set(modes.values()) == {0o600}
    assert data.parent.stat().st_mode & 0o777 == 0o700


def test_without_a_secret_it_does_not_start() -> None:
    command = [sys.executable, "-m", "embedded.fake_stripe", "--port", "0"]
    for given in ({}, {"STRIPE_WEBHOOK_SECRET": ""}):
        ended = subprocess.run(
            command, cwd=PROJECT_DIR, env=given, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 2
        assert ended.stderr == "STRIPE_WEBHOOK_SECRET is missing: webhooks are signed with it.\n"


def test_the_portal_takes_a_card_away(stripe: ServedStripe) -> None:
    paid = session(stripe, saves_card=True)
    stripe.pay(paid["id"])
    portal = stripe.api(
        "POST",
        "billing_portal/sessions",
        customer=paid["customer"],
        return_url="http://127.0.0.1/billing",
    ).json()
    page = HTTP.get(portal["url"])
    assert "ending in 4242" in page.text

    removal = page.text.partition('action="')[2].partition('"')[0]
    assert HTTP.post(f"{stripe.url}{removal}").status_code == 303
    assert "No card is saved" in HTTP.get(portal["url"]).text
    assert stripe.events("payment_method.detached")
