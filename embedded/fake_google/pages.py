"""What people see of the stand-in: the page on which they choose an account, or go back."""

from dataclasses import asdict
from html import escape
from urllib.parse import urlsplit

from aiohttp import web

from embedded.fake_google.accounts import ACCOUNTS, Account, named
from embedded.fake_google.look import page
from embedded.fake_google.provider import Asked, Provider, Refusal

NO_ADDRESS = "Please type an e-mail address."
LONGEST_ADDRESS = 254


class Pages:
    """The page in front of a provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/authorize", self._show), web.post("/authorize", self._choose)]

    async def _show(self, request: web.Request) -> web.Response:
        try:
            return _drawn(_picker(self._provider.read(request.query)))
        except Refusal as refusal:
            return _drawn(_refused(refusal), 400)

    async def _choose(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        try:
            asked = self._provider.read(form)
        except Refusal as refusal:
            return _drawn(_refused(refusal), 400)
        if form.get("cancel"):
            raise web.HTTPSeeOther(self._provider.refuse(asked))
        email = form.get("email", "").strip()
        if "@" not in email or len(email) > LONGEST_ADDRESS:
            return _drawn(_picker(asked, NO_ADDRESS), 422)
        raise web.HTTPSeeOther(self._provider.give_code(asked, named(email)))


def _picker(asked: Asked, refusal: str = "") -> str:
    site = urlsplit(asked.redirect_uri).netloc
    kept = "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">'
        for name, value in asdict(asked).items()
    )
    known = "".join(_choice(account) for account in ACCOUNTS)
    refused = f'<p class="refused" role="alert">{escape(refusal)}</p>' if refusal else ""
    return page(
        "Choose an account",
        f"""<section class="card">
<h1>Choose an account</h1>
<p class="quiet">to go on to {escape(site)}, which learns your address and nothing else.</p>
{refused}
<form method="post" action="/authorize">{kept}{known}</form>
<hr>
<form method="post" action="/authorize">{kept}
<label for="email">Use another address</label>
<input id="email" name="email" type="email" required maxlength="{LONGEST_ADDRESS}"
  autocomplete="off" autocapitalize="none" spellcheck="false" placeholder="you@example.org">
<button class="button">Continue</button></form>
<form method="post" action="/authorize">{kept}
<button class="button plain" name="cancel" value="yes">Cancel</button></form>
</section>""",
    )


def _choice(account: Account) -> str:
    return (
        f'<button class="account" name="email" value="{escape(account.email)}">'
        f'<b aria-hidden="true">{escape(account.name[:1])}</b>'
        f"<span>{escape(account.name)}<small>{escape(account.email)}</small></span></button>"
    )


def _refused(refusal: Refusal) -> str:
    inside = f'<section class="card"><h1>{escape(str(refusal))}</h1></section>'
    return page("Not signed in", inside)


def _drawn(html: str, status: int = 200) -> web.Response:
    return web.Response(text=html, status=status, content_type="text/html")
