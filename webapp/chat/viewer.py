"""Whoever follows a conversation, for whom a live stream draws what has changed in it."""

import time
from collections.abc import Callable, Collection, Iterable
from random import uniform
from typing import Any
from uuid import UUID

from flask import Flask

from gateways.partial_answer import PartialAnswer
from models.chat import conversations, history
from models.chat.history import Exchange
from models.errors import NotFound
from models.schema.chat import Conversation
from webapp.chat import live_exchange, views
from webapp.chat.views import ExchangeView
from webapp.core.auth import find_current_user
from webapp.core.db import db
from webapp.core.db_slots import turn

QUIET_SECONDS = 300.0


class Gone(Exception):
    """The conversation is not there any more for whoever looks at it."""


class Viewer:
    """The person behind one stream of one conversation; each drawing asks again who they are."""

    def __init__(self, app: Flask, environ: dict[str, Any], conversation_id: UUID) -> None:
        self._app, self._environ = app, environ
        self._conversation_id = conversation_id
        self._looked = time.monotonic()
        # Apart from the others, also where all came back within the same second.
        self._quiet_seconds = uniform(QUIET_SECONDS / 2, QUIET_SECONDS)  # noqa: S311  # no secret

    def look(self, *, is_quiet: bool) -> None:
        """Ask again whether they are logged in and have the conversation. Raises Gone.

        While nothing goes on that they see, as on thousands of open pages, it is asked seldom.
        """
        now = time.monotonic()
        if is_quiet and now < self._looked + self._quiet_seconds:
            return
        self._looked = now
        with turn(), self._app.request_context(self._environ):
            self._find_conversation()

    def exchanges_of(
        self, job_ids: Collection[UUID], told: dict[UUID, PartialAnswer]
    ) -> list[tuple[ExchangeView, str]]:
        """Draw the messages of these jobs, with the text that was told. Raises Gone."""
        return self._draw(
            lambda conversation: history.exchanges_of(db(), conversation, job_ids), told
        )

    def said_unasked(self, message_ids: Collection[UUID]) -> list[tuple[ExchangeView, str]]:
        """Draw messages that the product said unasked. Raises Gone."""
        return self._draw(
            lambda conversation: history.said_unasked(db(), conversation, message_ids), {}
        )

    def _draw(
        self,
        read: Callable[[Conversation], Iterable[Exchange]],
        told: dict[UUID, PartialAnswer],
    ) -> list[tuple[ExchangeView, str]]:
        # As if the browser had asked again: with its login, its time zone, and a session that is
        # closed before we go on.
        with turn(), self._app.request_context(self._environ):
            found = read(self._find_conversation())
            return [(view, live_exchange.render(view)) for view in views.show(db(), found, told)]

    def _find_conversation(self) -> Conversation:
        person = find_current_user()
        if person is None:
            raise Gone
        try:
            return conversations.find_own(db(), person.id, self._conversation_id)
        except NotFound as deleted:
            raise Gone from deleted
