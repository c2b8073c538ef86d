"""What people see of the stand-in: the payment page, the owner's consent, saved cards, receipts."""

from html import escape

from aiohttp import web

from embedded.fake_stripe.cards import BY_LAST4, CARDS, Card
from embedded.fake_stripe.errors import Refusal
from embedded.fake_stripe.forms import Body
from embedded.fake_stripe.look import dollars, page
from embedded.fake_stripe.server import FakeStripe

REFUSED_BY_OWNER = "The payment was not confirmed. Nothing was charged."


class Pages:
    """The pages in front of an account."""

    def __init__(self, fake: FakeStripe) -> None:
        self._fake, self._account = fake, fake.account

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/c/pay/{id}", self._show_payment),
            web.post("/c/pay/{id}", self._pay),
            web.get("/p/session/{id}", self._show_portal),
            web.post("/p/session/{id}/cards/{card}/removal", self._remove_card),
            web.get("/receipts/{id}", self._show_receipt),
        ]

    async def _show_payment(self, request: web.Request) -> web.Response:
        try:
            session = self._account.open_checkout(request.match_info["id"])
        except Refusal as refusal:
            return _over(str(refusal))
        return _drawn(_payment(session))

    async def _pay(self, request: web.Request) -> web.Response:
        session_id, form = request.match_info["id"], await request.post()
        try:
            session = self._account.open_checkout(session_id)
        except Refusal as refusal:
            return _over(str(refusal))
        card = BY_LAST4.get(str(form.get("card", "")))
        if card is None:
            return _drawn(_payment(session, "Please choose a card."), 422)
        if card.asks_owner and "consent" not in form:
            return _drawn(_consent(session, card))
        if form.get("consent") == "no":
            return _drawn(_payment(session, REFUSED_BY_OWNER), 402)
        status, answer = self._fake.act(lambda: self._account.pay_checkout(session_id, card))
        if status != 200:
            return _drawn(_payment(session, answer["error"]["message"]), status)
        address = session["success_url"].replace("{CHECKOUT_SESSION_ID}", session_id)
        raise web.HTTPSeeOther(address)

    async def _show_portal(self, request: web.Request) -> web.Response:
        portal = self._fake.store.find(request.match_info["id"])
        if portal is None:
            return _over("This page is over.")
        return _drawn(_portal(portal, self._account.saved_cards(portal["customer"])))

    async def _remove_card(self, request: web.Request) -> web.Response:
        portal_id, card_id = request.match_info["id"], request.match_info["card"]
        portal = self._fake.store.find(portal_id)
        owned = portal and any(
            card["id"] == card_id for card in self._account.saved_cards(portal["customer"])
        )
        if not owned:
            return _over("This page is over.")

        def _forget() -> Body:
            self._account.forget_card(card_id)
            return {}

        self._fake.act(_forget)
        raise web.HTTPSeeOther(f"/p/session/{portal_id}")

    async def _show_receipt(self, request: web.Request) -> web.Response:
        charge = self._fake.store.find(request.match_info["id"])
        if charge is None or charge["object"] != "charge":
            return _over("There is no such receipt.")
        return _drawn(_receipt(charge))


def _payment(session: Body, refusal: str = "") -> str:
    cards = "".join(_choice(card, is_first=card is CARDS[0]) for card in CARDS)
    refused = f'<p class="refused" role="alert">{escape(refusal)}</p>' if refusal else ""
    saves = session["asked"].get("setup_future_usage")
    saved = '<p class="quiet">The card is kept for later payments.</p>' if saves else ""
    return page(
        "Pay",
        f"""<form class="card" method="post">
<h1>{escape(session["title"])}</h1>
<p class="amount">{dollars(session["amount_total"])}</p>
{refused}
<fieldset><legend>Pay with</legend>{cards}</fieldset>{saved}
<button>Pay {dollars(session["amount_total"])}</button>
<a class="button plain" href="{escape(session["cancel_url"] or "/")}">Go back without paying</a>
</form>""",
    )


def _choice(card: Card, *, is_first: bool) -> str:
    checked = " checked" if is_first else ""
    name = f"{card.brand.title()} ending in {card.last4}"
    return (
        f'<label><input type="radio" name="card" value="{card.last4}"{checked}>'
        f"<span>{name}<small>{escape(card.words)}</small></span></label>"
    )


def _consent(session: Body, card: Card) -> str:
    return page(
        "Confirm",
        f"""<form class="card" method="post">
<h1>Your bank asks: is this you?</h1>
<p class="quiet">{dollars(session["amount_total"])} from the card ending in {card.last4}.</p>
<input type="hidden" name="card" value="{card.last4}">
<button name="consent" value="yes">Confirm the payment</button>
<button class="plain" name="consent" value="no">This is not me</button>
</form>""",
    )


def _portal(portal: Body, cards: list[Body]) -> str:
    rows = "".join(
        f"""<form method="post" action="/p/session/{portal["id"]}/cards/{card["id"]}/removal">
<p>{escape(card["card"]["brand"].title())} ending in {card["card"]["last4"]}</p>
<button class="plain">Remove this card</button></form>"""
        for card in cards
    )
    return page(
        "Saved cards",
        f"""<section class="card"><h1>Saved cards</h1>
{rows or '<p class="quiet">No card is saved.</p>'}
<a class="button" href="{escape(portal["return_url"])}">Go back</a></section>""",
    )


def _receipt(charge: Body) -> str:
    back = charge["amount_refunded"]
    refunded = f'<p class="quiet">{dollars(back)} of it was given back.</p>' if back else ""
    return page(
        "Receipt",
        f"""<section class="card"><h1>Receipt</h1>
<p class="amount">{dollars(charge["amount"])}</p>
<p class="quiet">Sent to {escape(charge.get("receipt_email") or "nobody")}</p>
{refunded}</section>""",
    )


def _over(words: str) -> web.Response:
    inside = f'<section class="card"><h1>{escape(words)}</h1></section>'
    return _drawn(page("Over", inside), 410)


def _drawn(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html")
