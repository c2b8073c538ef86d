"""Credits: what there is, buying more, and what became of them."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from itertools import islice
from uuid import UUID

import structlog
from flask import Blueprint, Response, flash, render_template, request, url_for

from actions.sentences import entries
from actions.sentences.refusals import sentence_of
from gateways.stripe_checkouts import CheckoutOrder
from gateways.stripe_payments import PaymentsFailed, StripePayments
from models import payments
from models.database import unit_of_work
from models.errors import Refused
from models.ledger.queries import all_entries
from models.money import exact_dollars, money
from models.payments import auto_topup
from models.schema.ledger import Transaction
from models.schema.payments import Payment
from models.schema.users import User
from settings import get_settings
from webapp.core.auth import current_user, find_current_user_id, member_required
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import limiter, payment_limit
from webapp.money import billing_forms, billing_views
from webapp.money.billing_forms import BadPlanFields
from webapp.money.billing_views import Wanted

pages = Blueprint("billing", __name__)
log = structlog.get_logger()

pages.add_app_template_global(billing_views.entry_name)
pages.add_app_template_global(billing_views.payment_state)

HEADINGS = ("time", "what", "dollars", "model", "tokens in", "tokens out", "note", "reference")
# A piece of the file, as it is sent.
LINES_AT_ONCE = 500


class StripeAway(Refused):
    """Stripe cannot be reached."""

    code = "till_away"


class NothingOnSale(Refused):
    """No credits are sold on this site."""

    code = "nothing_on_sale"


def person_in_limit() -> str:
    """Count by who asks."""
    return f"person:{find_current_user_id()}"


@pages.get("/billing")
@member_required
def show() -> Answer:
    """Show what there is, how to get more, and the latest entries."""
    return _page()


@pages.post("/billing/top-ups")
@member_required
@limiter.limit(payment_limit, key_func=person_in_limit)
def top_up() -> Answer:
    """Send the person to Stripe's page to pay; refuse odd amounts and frozen accounts."""
    saves_card = request.form.get("save_card") == "yes"
    try:
        amount = billing_forms.top_up_micros(request.form)
        payment = payments.begin(db(), current_user().id, amount)
        return go_to(_open_page(current_user(), payment, saves_card=saves_card))
    except Refused as refusal:
        return _page({"top-up": sentence_of(refusal)}), 422


@pages.get("/billing/payments/<uuid:payment_id>")
@member_required
def follow(payment_id: UUID) -> Answer:
    """Where Stripe sends people who have paid: wait here until its webhook says so too."""
    payment = payments.find_own(db(), current_user().id, payment_id)
    return render_template("money/billing/payment.html", payment=payment)


@pages.get("/billing/payments/<uuid:payment_id>/state")
@member_required
def state(payment_id: UUID) -> Answer:
    """Draw how a payment stands; once it is over it asks no more."""
    payment = payments.find_own(db(), current_user().id, payment_id)
    html = render_template("money/billing/_state.html", payment=payment)
    return html if payment.is_pending else html + render_template("_credits_left.html", oob=True)


@pages.get("/billing/payments/<uuid:payment_id>/cancelled")
@member_required
def cancelled(payment_id: UUID) -> Answer:
    """Where Stripe sends people who went back without paying."""
    payment = payments.find_own(db(), current_user().id, payment_id)
    if not payment.is_pending:
        return go_to(url_for("billing.follow", payment_id=payment_id))
    return render_template("money/billing/cancelled.html", payment=payment)


@pages.post("/billing/portal")
@member_required
@limiter.limit(payment_limit, key_func=person_in_limit)
def open_portal() -> Answer:
    """Send the person to Stripe's page for their saved card."""
    account = payments.find_account(db(), current_user().id)
    if account is None or account.stripe_customer_id is None:
        return go_to(url_for("billing.show"))
    customer = account.stripe_customer_id
    commit_and_release()
    try:
        return go_to(_stripe_client().portal_url(customer, _address("billing.show")))
    except PaymentsFailed as failure:
        log.warning("stripe.failed", reason=str(failure))
        return _page({"automatic": str(StripeAway())}), 422


@pages.post("/billing/auto-top-up")
@member_required
def plan_top_up() -> Answer:
    """Switch automatic top-up on, as the form says, or off."""
    person = current_user()
    if request.form.get("is_on") != "yes":
        auto_topup.switch_off(db(), person.id)
        flash("Automatic top-up is off.")
        return go_to(url_for("billing.show", _anchor="automatic"))
    try:
        auto_topup.switch_on(db(), person.id, billing_forms.plan(request.form))
    except BadPlanFields as refusal:
        return _page({"automatic": sentence_of(refusal), **refusal.at}), 422
    except Refused as refusal:
        return _page({"automatic": sentence_of(refusal)}), 422
    flash("Automatic top-up is on.")
    return go_to(url_for("billing.show", _anchor="automatic"))


@pages.get("/billing/history.csv")
@member_required
def export() -> Response:
    """Send the chosen entries as a table for spreadsheets."""
    wanted, person = Wanted.in_query(request.args), current_user().id
    since, until = wanted.span(current_user().timezone)

    def _lines() -> Iterator[str]:
        yield _table([HEADINGS])
        with unit_of_work() as own:
            chosen = all_entries(own, person, kinds=wanted.kinds, since=since, until=until)
            while some := list(islice(chosen, LINES_AT_ONCE)):
                yield _table(map(_cells, some))

    headers = {"Content-Disposition": 'attachment; filename="credits.csv"'}
    return Response(_lines(), mimetype="text/csv", headers=headers)


def _page(refusals: Mapping[str, str] | None = None) -> str:
    """Draw the page; each refusal stands in the section, or beside the field, that it names."""
    view = billing_views.read(db(), current_user(), request.args, refusals or {}, request.form)
    return render_template("money/billing/page.html", view=view)


def _open_page(person: User, payment: Payment, *, saves_card: bool) -> str:
    """Have Stripe make a page; nothing of ours is locked or open while it is asked."""
    account = payments.find_account(db(), person.id)
    customer = account.stripe_customer_id if account else None
    payment_id, user_id = payment.id, person.id
    # Stripe's webhook may come before its answer: the payment is there by then.
    commit_and_release()
    try:
        till = _stripe_client()
        if customer is None:
            customer = till.add_customer(user_id, person.email, person.name)
            # At once: whom nobody knows by it here is not deleted at Stripe either.
            with unit_of_work() as own:
                payments.record_customer(own, user_id, customer)
        page = till.begin_checkout(_order(person, payment, customer, saves_card=saves_card))
    except PaymentsFailed as failure:
        log.warning("stripe.failed", reason=str(failure), payment_id=str(payment_id))
        with unit_of_work() as own:
            payments.fail_checkout(own, payment_id)
        raise StripeAway from failure
    payments.record_checkout(db(), payment_id, page.id)
    return page.url


def _order(person: User, payment: Payment, customer: str, *, saves_card: bool) -> CheckoutOrder:
    settings = get_settings()
    return CheckoutOrder(
        payment_id=payment.id,
        customer_id=customer,
        email=person.email,
        cents=payment.amount_micros // payments.CENT_MICROS,
        title=f"{settings.product_name} credits, {money(payment.amount_micros)}",
        saves_card=saves_card,
        success_url=_address("billing.follow", payment_id=payment.id),
        cancel_url=_address("billing.cancelled", payment_id=payment.id),
        expires_at=payment.created_at + timedelta(minutes=settings.checkout_minutes),
    )


def _stripe_client() -> StripePayments:
    settings = get_settings()
    if not settings.sells_credits:
        raise NothingOnSale
    return StripePayments(settings)


def _address(endpoint: str, **values: object) -> str:
    # From the settings: what a request says of its host is not to be trusted with money.
    return get_settings().public_url.rstrip("/") + url_for(endpoint, **values)  # pyright: ignore[reportArgumentType]


def _cells(entry: Transaction) -> tuple[object, ...]:
    return (
        entry.created_at.isoformat(timespec="seconds"),
        entry.kind,
        exact_dollars(entry.amount_micros),
        entry.model or "",
        entry.tokens_in if entry.tokens_in is not None else "",
        entry.tokens_out if entry.tokens_out is not None else "",
        entries.note(entry),
        entry.reference,
    )


def _table(lines: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written).writerows(lines)
    return written.getvalue()


@pages.app_template_global()
def sells_credits() -> bool:
    """Whether anything can be bought here."""
    return get_settings().sells_credits
