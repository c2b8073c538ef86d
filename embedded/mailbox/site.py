"""The page of the mailbox, and the same as JSON for tests.

Every address begins with a token, and is not there without it: all processes of a machine can call
each other's ports, and what they find here lets them into accounts.
"""

import hmac
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from embedded.mailbox.folder import KeptMail, MailFolder
from embedded.mailbox.reception import MOODS, Reception
from embedded.ports import LOCALHOST

PAGES = Path(__file__).parent / "pages"
INCOMPLETE = "Please open the mailbox by its whole address, which was printed at the start."
# Whatever a mail has in it, it runs nothing and loads nothing; its links open in a new tab.
FRAME_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; img-src data:; frame-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


class MailSite:
    """Shows what was kept, to whoever knows `token`."""

    def __init__(self, folder: MailFolder, reception: Reception, token: str) -> None:
        self._folder, self._reception, self._token = folder, reception, token
        self._pages = Environment(
            loader=FileSystemLoader(PAGES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def app(self) -> web.Application:
        """Build the server."""
        app = web.Application(middlewares=[_only_by_our_name, self._only_with_the_token])
        app.router.add_get("/{token}", self._list)
        app.router.add_get("/{token}/", self._list)
        app.router.add_get("/{token}/mails/{name}", self._show)
        app.router.add_get("/{token}/mails/{name}/html", self._frame)
        app.router.add_post("/{token}/emptying", self._empty)
        app.router.add_get("/{token}/mails.json", self._as_json)
        app.router.add_post("/{token}/_mood", self._set_mood)
        app.router.add_get("/{token}/mailbox.css", _style)
        return app

    @web.middleware
    async def _only_with_the_token(self, request: web.Request, handler: Any) -> web.StreamResponse:
        given = request.match_info.get("token", "")
        # In the same time whatever is wrong with it, or it could be guessed letter by letter.
        if not hmac.compare_digest(given.encode(errors="replace"), self._token.encode()):
            raise web.HTTPNotFound(text=INCOMPLETE)
        return await handler(request)

    async def _list(self, _: web.Request) -> web.Response:
        return self._page("list.html", mails=self._folder.latest())

    async def _show(self, request: web.Request) -> web.Response:
        return self._page("mail.html", mail=self._found(request))

    async def _frame(self, request: web.Request) -> web.Response:
        # Links must not open inside of the frame.
        html = f'<base target="_blank">{self._found(request).html}'
        return _html(html, FRAME_POLICY)

    async def _empty(self, request: web.Request) -> web.Response:
        # A page elsewhere could send this form too.
        if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
            raise web.HTTPForbidden
        self._folder.empty()
        raise web.HTTPSeeOther(f"/{self._token}/")

    async def _as_json(self, request: web.Request) -> web.Response:
        mails = self._folder.latest(recipient=request.query.get("to", ""))
        handed_in = self._reception.handed_in
        return web.json_response(
            {"handed_in": handed_in, "mails": [_plain(mail) for mail in mails]}
        )

    async def _set_mood(self, request: web.Request) -> web.Response:
        mood = (await request.text()).strip()
        if mood not in MOODS:
            raise web.HTTPBadRequest
        self._reception.mood = mood
        return web.Response(status=204)

    def _found(self, request: web.Request) -> KeptMail:
        mail = self._folder.find(request.match_info["name"])
        if mail is None:
            raise web.HTTPNotFound
        return mail

    def _page(self, template: str, **values: Any) -> web.Response:
        return _html(
            self._pages.get_template(template).render(values, home=f"/{self._token}"), PAGE_POLICY
        )


@web.middleware
async def _only_by_our_name(request: web.Request, handler: Any) -> web.StreamResponse:
    # A page elsewhere whose name leads to this machine would otherwise read the mail.
    if request.host.partition(":")[0] not in (LOCALHOST, "localhost"):
        raise web.HTTPMisdirectedRequest
    return await handler(request)


async def _style(_: web.Request) -> web.FileResponse:
    return web.FileResponse(PAGES / "mailbox.css")


def _html(text: str, policy: str) -> web.Response:
    headers = {
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return web.Response(text=text, content_type="text/html", headers=headers)


def _plain(mail: KeptMail) -> dict[str, str]:
    return {**asdict(mail), "arrived_at": mail.arrived_at.isoformat()}
