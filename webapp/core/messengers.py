"""The messengers that are offered here, and which of them whoever asks has connected."""

from dataclasses import dataclass
from uuid import UUID

from flask import Flask, g

from channels import registry
from models.channels import accounts
from models.schema.channels import ChannelAccount
from webapp.core.auth import find_current_user
from webapp.core.db import db


@dataclass(frozen=True)
class Messenger:
    """A messenger, with the user's account there; None if they have connected none."""

    name: str
    label: str
    account: ChannelAccount | None

    @property
    def conversation_id(self) -> UUID | None:
        """The conversation that it shows; None for any that was never connected."""
        return self.account.conversation_id if self.account else None


def install(app: Flask) -> None:
    """Let templates ask for them."""
    app.add_template_global(list_messengers, "messengers")
    app.add_template_global(registry.label_of, "channel_label")


def list_messengers() -> tuple[Messenger, ...]:
    """List the messengers of this site for whoever asks, looked up once a request."""
    if "messengers" not in g:
        g.messengers = _read()
    return g.messengers


def _read() -> tuple[Messenger, ...]:
    user, offered = find_current_user(), registry.installed()
    if user is None or not offered:
        return ()
    linked = {account.channel: account for account in accounts.list_own(db(), user.id)}
    return tuple(Messenger(one.name, one.label, linked.get(one.name)) for one in offered)
