"""Receiving: updates by asking for them or by a webhook, and the files in them."""

import re
from typing import Any, cast
from urllib.parse import urlsplit

from embedded.fake_telegram.errors import Body, Refusal, bad_request, conflict
from embedded.fake_telegram.given import Given
from embedded.fake_telegram.messenger import Messenger
from embedded.fake_telegram.webhook import Target, Webhook

LONGEST_POLL_SECONDS = 50
MOST_UPDATES = 100
MOST_CONNECTIONS, USUAL_CONNECTIONS = 100, 40
LONGEST_SECRET = 256
SECRET = re.compile(r"[A-Za-z0-9_-]*")
HAS_WEBHOOK = (
    "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook "
    "first"
)
OWN_MACHINE = frozenset({"127.0.0.1", "localhost"})


class Receiving:
    """Methods by which the bot learns what people did."""

    def __init__(self, messenger: Messenger, webhook: Webhook) -> None:
        self._messenger, self._webhook = messenger, webhook
        self._updates = messenger.updates

    async def get_updates(self, given: Given) -> list[Body]:
        if self._webhook.target.url:
            raise conflict(HAS_WEBHOOK)
        self._updates.allow(_kinds(given))
        limit = given.whole("limit", MOST_UPDATES)
        seconds = min(max(0, given.whole("timeout")), LONGEST_POLL_SECONDS)
        return await self._updates.poll(
            given.whole("offset"), min(max(1, limit), MOST_UPDATES), seconds
        )

    def set_webhook(self, given: Given) -> tuple[bool, str]:
        url, secret = given.text("url"), given.text("secret_token")
        if not url:
            return self.delete_webhook(given)
        _refuse_odd(url, secret)
        connections = given.whole("max_connections", USUAL_CONNECTIONS)
        target = Target(url, secret, min(max(1, connections), MOST_CONNECTIONS))
        self._updates.allow(_kinds(given))
        is_known = target == self._webhook.target
        if given.flag("drop_pending_updates"):
            self._updates.clear()
        if not is_known:
            self._webhook.aim(target)
        return True, "Webhook is already set" if is_known else "Webhook was set"

    def delete_webhook(self, given: Given) -> tuple[bool, str]:
        was_there = bool(self._webhook.target.url)
        self._webhook.aim(Target())
        if given.flag("drop_pending_updates"):
            self._updates.clear()
        return True, "Webhook was deleted" if was_there else "Webhook is already deleted"

    def get_webhook_info(self, _: Given) -> Body:
        return self._webhook.info()

    def get_file(self, given: Given) -> Body:
        return self._messenger.files.fetchable(given.text("file_id"))


def _kinds(given: Given) -> list[str] | None:
    """Return the kinds of updates that a call asks for; None when it says nothing of them."""
    raw = given.parsed("allowed_updates", "allowed updates")
    if raw is None:
        return None
    if not isinstance(raw, list):
        raise Refusal(400, "Bad Request: expected an Array of String")
    return [str(one) for one in cast(list[Any], raw)]


def _refuse_odd(url: str, secret: str) -> None:
    try:
        parts = urlsplit(url)
    except ValueError as odd:
        raise bad_request("invalid webhook URL specified") from odd
    # Telegram takes nothing but https; what is on this machine needs none.
    is_safe = parts.scheme == "https" or parts.hostname in OWN_MACHINE
    if parts.scheme not in {"http", "https"} or not is_safe:
        raise bad_request("bad webhook: An HTTPS URL must be provided for webhook")
    if len(secret) > LONGEST_SECRET:
        raise bad_request("secret token is too long")
    if not SECRET.fullmatch(secret):
        raise bad_request("secret token contains unallowed characters")
