"""What happens in the shop's account: the verbs behind the API, the payment page and the switches.

Each of them changes objects and says so by events, within one change of the store.
"""

import secrets
import time
from collections.abc import Callable
from typing import cast

from embedded.fake_stripe.cards import BY_LAST4, Card
from embedded.fake_stripe.errors import declined, invalid, missing
from embedded.fake_stripe.forms import Body
from embedded.fake_stripe.store import Store

DECLINED = "Your card was declined."
ASKS_OWNER = "Your card was declined. This transaction requires authentication."
DAY_SECONDS = 86_400


class Account:
    """`tell` is given the type of each event and the object that it is about."""

    def __init__(self, store: Store, url: str, tell: Callable[[str, Body], object]) -> None:
        self.store, self.url, self._tell = store, url, tell

    def get(self, object_id: str, kind: str) -> Body:
        """Find an object of a kind, or refuse."""
        found = self.store.find(object_id)
        if found is None or found["object"] != kind:
            raise missing(object_id)
        return found

    def add_customer(self, form: Body) -> Body:
        return self._new("cus", "customer", **_only(form, "email", "name", "metadata"))

    def delete_customer(self, customer_id: str) -> Body:
        """Delete a customer with their cards; one who is deleted already is not found."""
        self._customer(customer_id)
        for method in self.saved_cards(customer_id):
            self.store.put({**method, "customer": None})
        gone = {"id": customer_id, "object": "customer", "deleted": True}
        self._tell("customer.deleted", self.store.put({**gone, "created": int(time.time())}))
        return gone

    def _customer(self, customer_id: str) -> Body:
        customer = self.get(customer_id, "customer")
        if customer.get("deleted"):
            raise missing(customer_id)
        return customer

    def begin_checkout(self, form: Body) -> Body:
        """Make a payment page; nothing is paid yet."""
        if form.get("mode") != "payment" or not form.get("line_items"):
            raise invalid("The stand-in only takes payments, with at least one line.")
        if form.get("customer"):
            self._customer(form["customer"])
        total = sum(_line_cents(line) for line in form["line_items"])
        session = self._new(
            "cs_test",
            "checkout.session",
            **_only(form, "customer", "metadata", "success_url", "cancel_url", "mode"),
            amount_subtotal=total,
            amount_total=total,
            currency="usd",
            expires_at=int(form.get("expires_at", time.time() + DAY_SECONDS)),
            payment_intent=None,
            payment_status="unpaid",
            status="open",
            asked=form.get("payment_intent_data", {}),
            title=form["line_items"][0]["price_data"]["product_data"]["name"],
        )
        session["url"] = f"{self.url}/c/pay/{session['id']}"
        return self.store.put(session)

    def pay_checkout(self, session_id: str, card: Card) -> Body:
        """Pay a payment page with a card; refuse one that is over, or a card that is declined."""
        session = self.open_checkout(session_id)
        intent = self._intent_of(session)
        if card.is_declined:
            intent["last_payment_error"] = {"code": "card_declined", "message": DECLINED}
            self._tell("payment_intent.payment_failed", self.store.put(intent))
            raise declined("card_declined", DECLINED, intent)
        session.update(status="complete", payment_intent=intent["id"])
        if intent.get("setup_future_usage"):
            intent["payment_method"] = self._save_card(session["customer"], card)["id"]
        if card.takes_days:
            intent["status"] = "processing"
            self._tell("payment_intent.processing", self.store.put(intent))
        else:
            session["payment_status"] = "paid"
            self._succeed(intent)
        self._tell("checkout.session.completed", self.store.put(session))
        return session

    def end_async(self, session_id: str, *, is_paid: bool) -> Body:
        """Let a bank debit arrive after all, or fail."""
        session = self.get(session_id, "checkout.session")
        intent = self.get(session["payment_intent"], "payment_intent")
        if is_paid:
            session["payment_status"] = "paid"
            self._succeed(intent)
        else:
            self._fail(intent, "The bank did not pay.", "bank_refused")
        outcome = "succeeded" if is_paid else "failed"
        self._tell(f"checkout.session.async_payment_{outcome}", self.store.put(session))
        return session

    def expire_checkout(self, session_id: str) -> Body:
        """Close a payment page that nobody used."""
        session = self.open_checkout(session_id)
        session["status"] = "expired"
        self._tell("checkout.session.expired", self.store.put(session))
        return session

    def open_checkout(self, session_id: str) -> Body:
        """Find a payment page that can still be used."""
        session = self.get(session_id, "checkout.session")
        if session["status"] != "open":
            raise invalid("This payment page is over.")
        return session

    def charge_away(self, form: Body) -> Body:
        """Charge a saved card while its owner is away, as the card would have it."""
        method = self.get(form.get("payment_method", ""), "payment_method")
        if method["customer"] is None or method["customer"] != form.get("customer"):
            raise invalid("The payment method is not of this customer.")
        intent = self._new_intent(int(form["amount"]), form)
        intent["payment_method"] = method["id"]
        later = BY_LAST4[method["card"]["last4"]].later
        if later:
            words = ASKS_OWNER if later == "authentication_required" else DECLINED
            raise declined(later, words, self._fail(intent, words, later))
        return self._succeed(intent)

    def refund(self, form: Body) -> Body:
        """Give back all or a part of a payment."""
        charge = self._charge_of(form.get("payment_intent", ""))
        left = charge["amount"] - charge["amount_refunded"]
        cents = int(form.get("amount", left))
        if not 0 < cents <= left:
            raise invalid("Refund amount is greater than the unrefunded amount on the charge.")
        charge["amount_refunded"] += cents
        charge["refunded"] = charge["amount_refunded"] == charge["amount"]
        made = self._new(
            *("re", "refund"),
            **_only(form, "metadata", "reason"),
            amount=cents,
            charge=charge["id"],
            payment_intent=charge["payment_intent"],
            status="succeeded",
            currency="usd",
        )
        self._tell("refund.created", made)
        self._tell("charge.refunded", self.store.put(charge))
        return made

    def fail_refund(self, refund_id: str) -> Body:
        """Let the bank refuse a refund, as for a card that was closed: the money is ours again."""
        refund = self.get(refund_id, "refund")
        if refund["status"] == "failed":
            raise invalid("This refund has failed already.")
        refund.update(status="failed", failure_reason="lost_or_stolen_card")
        charge = self.get(refund["charge"], "charge")
        charge.update(refunded=False, amount_refunded=charge["amount_refunded"] - refund["amount"])
        self.store.put(charge)
        for kind in ("refund.updated", "charge.refund.updated", "refund.failed"):
            self._tell(kind, self.store.put(refund))
        return refund

    def dispute(self, intent_id: str, cents: int | None, status: str) -> Body:
        """Let a card's owner object to a payment."""
        charge = self._charge_of(intent_id)
        made = self._new(
            *("du", "dispute"),
            amount=charge["amount"] if cents is None else cents,
            charge=charge["id"],
            payment_intent=intent_id,
            reason="fraudulent",
            status=status,
            currency="usd",
        )
        self._tell("charge.dispute.created", made)
        return made

    def close_dispute(self, dispute_id: str, status: str) -> Body:
        """End a dispute: `won` by the shop, or `lost`."""
        dispute = self.get(dispute_id, "dispute")
        dispute["status"] = status
        self._tell("charge.dispute.closed", self.store.put(dispute))
        return dispute

    def saved_cards(self, customer_id: str) -> list[Body]:
        """List a customer's cards, newest first."""
        return [
            one for one in self.store.newest_first("payment_method")
            if one["customer"] == customer_id
        ]  # fmt: skip

    def forget_card(self, method_id: str) -> None:
        """Take a saved card away from its customer."""
        method = self.get(method_id, "payment_method")
        self.store.put({**method, "customer": None})
        self._tell("payment_method.detached", {**method, "customer": None})

    def open_portal(self, form: Body) -> Body:
        customer = self._customer(form.get("customer", ""))
        portal = self._new(
            *("bps", "billing_portal.session"),
            customer=customer["id"],
            return_url=form.get("return_url", ""),
        )
        portal["url"] = f"{self.url}/p/session/{portal['id']}"
        return self.store.put(portal)

    def _intent_of(self, session: Body) -> Body:
        known = session.get("tried_intent")
        if known:
            return self.get(known, "payment_intent")
        asked = {**session["asked"], "customer": session["customer"]}
        intent = self._new_intent(session["amount_total"], asked)
        session["tried_intent"] = intent["id"]
        self.store.put(session)
        return intent

    def _new_intent(self, cents: int, form: Body) -> Body:
        kept = ("customer", "metadata", "receipt_email", "setup_future_usage", "description")
        return self._new(
            *("pi", "payment_intent"),
            **_only(form, *kept),
            amount=cents,
            amount_received=0,
            currency="usd",
            status="requires_payment_method",
            last_payment_error=None,
            latest_charge=None,
            payment_method=None,
        )

    def _succeed(self, intent: Body) -> Body:
        charge = self._new(
            *("ch", "charge"),
            **_only(intent, "customer", "metadata", "receipt_email"),
            amount=intent["amount"],
            amount_refunded=0,
            refunded=False,
            paid=True,
            currency="usd",
            payment_intent=intent["id"],
            status="succeeded",
        )
        charge["receipt_url"] = f"{self.url}/receipts/{charge['id']}"
        intent.update(status="succeeded", latest_charge=charge["id"], last_payment_error=None)
        intent["amount_received"] = intent["amount"]
        self._tell("charge.succeeded", self.store.put(charge))
        self._tell("payment_intent.succeeded", self.store.put(intent))
        return intent

    def _fail(self, intent: Body, words: str, code: str) -> Body:
        intent["status"] = "requires_payment_method"
        intent["last_payment_error"] = {"code": code, "message": words}
        self._tell("payment_intent.payment_failed", self.store.put(intent))
        return intent

    def _save_card(self, customer_id: str, card: Card) -> Body:
        facts = {"brand": card.brand, "last4": card.last4, "exp_month": 12, "exp_year": 2034}
        facts["fingerprint"] = f"fake{card.brand}{card.last4}"
        method = self._new("pm", "payment_method", type="card", customer=customer_id, card=facts)
        self._tell("payment_method.attached", method)
        return method

    def _charge_of(self, intent_id: str) -> Body:
        intent = self.get(intent_id, "payment_intent")
        if intent["latest_charge"] is None:
            raise invalid("This payment has not been made.")
        return self.get(intent["latest_charge"], "charge")

    def _new(self, prefix: str, kind: str, **body: object) -> Body:
        made: Body = {
            "id": f"{prefix}_{secrets.token_hex(12)}",
            "object": kind,
            "created": int(time.time()),
            "livemode": False,
            **body,
        }
        return self.store.put(made)


def _only(form: Body, *names: str) -> Body:
    return {name: form.get(name, {} if name == "metadata" else None) for name in names}


def _line_cents(line: Body) -> int:
    data = cast(Body, line["price_data"])
    if data.get("currency") != "usd":
        raise invalid("The stand-in only knows dollars.")
    return int(data["unit_amount"]) * int(line.get("quantity", 1))
