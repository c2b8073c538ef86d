"""Where messengers hand in what users write there. Only what bears their secret is read."""

from collections.abc import Mapping
from typing import cast

import structlog
from flask import Blueprint, request
from werkzeug.exceptions import RequestEntityTooLarge

from actions.channels import receiving
from channels import registry
from channels.base import Channel, Malformed
from channels.inbound import Update
from webapp.core.db import commit_and_release, db
from webapp.core.live import hub
from webapp.core.security import csrf

pages = Blueprint("channel_webhooks", __name__)
log = structlog.get_logger()


@pages.post("/channels/<channel_name>")
@csrf.exempt  # pyright: ignore[reportUnknownMemberType, reportUntypedFunctionDecorator]
def receive(channel_name: str) -> tuple[str, int]:
    """Take updates in; say 200 only once they are written down.

    What is refused changes nothing. The messenger hands in again whatever was answered 5xx.
    """
    channel = registry.find(channel_name)
    if channel is None:
        return _refuse("unknown_channel", 404)
    # The secret first: nobody else's body is read.
    if not channel.is_authentic(cast(Mapping[str, str], request.headers)):
        return _refuse("wrong_secret", 403, channel.name)
    try:
        updates = _read(channel)
    except RequestEntityTooLarge:
        return _refuse("too_large", 413, channel.name)
    except Malformed as odd:
        return _refuse("malformed", 400, channel.name, kind=type(odd.__cause__ or odd).__name__)
    receiving.receive(db(), channel, updates, hub())
    commit_and_release()
    return "", 200


def _read(channel: Channel) -> list[Update]:
    return channel.parse(request.get_data(cache=False))


def _refuse(reason: str, status: int, channel: str | None = None, **facts: str) -> tuple[str, int]:
    """Log a refusal, without a word of what was sent: it may be anything, or a secret."""
    log.warning("webhook.refused", channel=channel, reason=reason, **facts)
    return "", status
