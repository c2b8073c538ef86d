"""The page that looks like a phone, and what it asks: also the way in which tests act as people.

Below `/<page token>/` (JSON in, or a form with files; JSON out; refusals as the Bot API has them):

GET  people                              everybody
POST people                              {"name", "language"} somebody new
GET  people/<id>                         who they are, and their chats with all messages
GET  people/<id>/events                  the same as a stream, and then what happens
POST people/<id>/messages                {"kind", "text", "caption", "reply_to", "chat_id",
                                          "forwarded_from", "words", "emoji", "latitude",
                                          "longitude", "phone_number", "first_name", "of",
                                          "size_bytes"} and any files (see `said`)
POST people/<id>/messages/<id>/edit      {"text"}
POST people/<id>/presses                 {"message_id", "data"} of a button
POST people/<id>/blocking                {"is_blocked"}
POST people/<id>/groups                  {"title"} a group with the bot in it
GET  files/<file id>                     what a file has in it
"""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from embedded.fake_telegram import pictures
from embedded.fake_telegram.acts import Acts
from embedded.fake_telegram.errors import Body
from embedded.fake_telegram.given import Given, Upload, read
from embedded.fake_telegram.messenger import Messenger

PAGES = Path(__file__).parent / "pages"
SILENCE_SECONDS = 15.0
PLAYABLE = frozenset({"audio/wav", "audio/ogg", "audio/mpeg", "audio/mp4", "audio/webm"})
KINDS = {".js": "text/javascript", ".css": "text/css"}
Act = Callable[[web.Request, Given], Any]


class Phone:
    """The pages in front of a messenger."""

    def __init__(self, messenger: Messenger, acts: Acts) -> None:
        self._messenger, self._acts = messenger, acts
        self._scripts = {path.name: path for path in PAGES.iterdir() if path.suffix in KINDS}

    def routes(self) -> list[web.RouteDef]:
        """All addresses; the last one takes what is left, so these go after all others."""
        return [
            web.get("/{page_token}", _lead_in),
            web.get("/{page_token}/", self._show),
            web.get("/{page_token}/assets/{name}", self._asset),
            web.get("/{page_token}/files/{file_id}", self._file),
            self._act("get", "people", self._everybody),
            self._act("post", "people", lambda _, given: self._acts.join(given)),
            self._act("get", "people/{id}", lambda request, _: self._messenger.state(_id(request))),
            web.get("/{page_token}/people/{id}/events", self._follow),
            web.post("/{page_token}/people/{id}/messages", self._say),
            self._act("post", "people/{id}/messages/{message}/edit", self._edit),
            self._act("post", "people/{id}/presses", self._press),
            self._act("post", "people/{id}/blocking", self._block),
            self._act("post", "people/{id}/groups", self._make_group),
            web.get("/{page_token}/{username}", self._show_bot),
        ]

    def _act(self, method: str, path: str, act: Act) -> web.RouteDef:
        async def _handle(request: web.Request) -> web.Response:
            return self._answer(lambda given: act(request, given), await read(request))

        return web.route(method, f"/{{page_token}}/{path}", _handle)

    def _answer(self, act: Callable[[Given], Any], given: Given) -> web.Response:
        with self._messenger.store.change():
            return web.json_response(act(given))

    def _everybody(self, *_: object) -> list[Body]:
        return self._messenger.people()

    def _edit(self, request: web.Request, given: Given) -> Body:
        return self._acts.edit(_id(request), _id(request, "message"), given)

    def _press(self, request: web.Request, given: Given) -> Body:
        return {"id": self._acts.press(_id(request), given)}

    def _block(self, request: web.Request, given: Given) -> Body:
        return self._acts.block(_id(request), is_blocked=given.flag("is_blocked"))

    def _make_group(self, request: web.Request, given: Given) -> Body:
        return self._acts.make_group(_id(request), given)

    async def _say(self, request: web.Request) -> web.Response:
        given = await read(request)
        uploads = await _uploads(request)
        return self._answer(
            lambda given: {"messages": self._acts.say(_id(request), given, uploads)}, given
        )

    async def _follow(self, request: web.Request) -> web.StreamResponse:
        """Tell a page how things stand, and from then on all that happens."""
        person_id = _id(request)
        feed = self._messenger.hub.open(person_id)
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        try:
            state = self._messenger.state(person_id)
            await answer.prepare(request)
            await _tell(answer, {"kind": "state", **state})
            await _tell_all(answer, feed)
        except ConnectionError:
            return answer
        finally:
            self._messenger.hub.close(person_id, feed)
        return answer

    async def _file(self, request: web.Request) -> web.Response:
        found = self._messenger.files.content(request.match_info["file_id"])
        if found is None:
            raise web.HTTPNotFound
        content, said_kind = found
        kind = pictures.media_type(content) or (said_kind if said_kind in PLAYABLE else None)
        if kind:
            return web.Response(body=content, content_type=kind)
        # Whatever it is, no page of ours runs it.
        headers = {"Content-Disposition": "attachment"}
        octets = "application/octet-stream"
        return web.Response(body=content, content_type=octets, headers=headers)

    async def _asset(self, request: web.Request) -> web.Response:
        path = self._scripts.get(request.match_info["name"])
        if path is None:
            raise web.HTTPNotFound
        return web.Response(text=path.read_text(), content_type=KINDS[path.suffix])

    async def _show(self, _: web.Request) -> web.Response:
        return page("phone.html")

    async def _show_bot(self, request: web.Request) -> web.Response:
        """Open the chat with the bot, as a link to it does; `start` is what it is to be told."""
        if request.match_info["username"].lower() != self._messenger.bot.username.lower():
            raise web.HTTPNotFound(text="There is nobody of this name.")
        return page("phone.html")


def page(name: str) -> web.Response:
    """Return a page as it lies in the folder: nothing is put into it."""
    return web.Response(text=(PAGES / name).read_text(), content_type="text/html")


async def _lead_in(request: web.Request) -> web.Response:
    raise web.HTTPFound(f"{request.path}/")


async def _uploads(request: web.Request) -> list[Upload]:
    """Return all files of a form, of which several may have one name."""
    if not request.content_type.startswith("multipart/"):
        return []
    form = await request.post()
    return [
        Upload(value.filename, value.content_type, value.file.read())
        for value in form.values()
        if isinstance(value, web.FileField) and not value.file.seek(0)
    ]


async def _tell_all(answer: web.StreamResponse, feed: "asyncio.Queue[Body | None]") -> None:
    while True:
        try:
            event = await asyncio.wait_for(feed.get(), SILENCE_SECONDS)
        except TimeoutError:
            await answer.write(b": still here\n\n")
            continue
        if event is None:
            return
        await _tell(answer, event)


async def _tell(answer: web.StreamResponse, event: Body) -> None:
    await answer.write(f"data: {json.dumps(event)}\n\n".encode())


def _id(request: web.Request, name: str = "id") -> int:
    try:
        return int(request.match_info[name])
    except ValueError as odd:
        raise web.HTTPNotFound from odd
