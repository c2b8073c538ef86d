"""Connecting a messenger from the website, letting go of it, and going on in one."""

from uuid import UUID

import segno
import structlog
from flask import Blueprint, abort, flash, render_template, request, url_for
from markupsafe import Markup

from actions.channels import linking
from channels import registry
from channels.base import Channel, ChannelFailed
from models import ledger
from models.channels import accounts
from models.chat import conversations
from models.errors import NotFound
from models.schema.channels import ChannelAccount
from models.translation import gettext
from webapp.core.auth import current_user, member_required
from webapp.core.browsers import is_pocketable
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer, go_to, part

pages = Blueprint("channel_linking", __name__)
log = structlog.get_logger()


@pages.post("/settings/channels/<channel_name>/code")
@member_required
def begin(channel_name: str) -> Answer:
    """Make a link that connects the messenger; one that was made before ends.

    A phone goes straight to the messenger; elsewhere a page shows the link, for a phone to scan.
    """
    channel = _find(channel_name)
    if accounts.find_own(db(), current_user().id, channel.name) is not None:
        return go_to(_settings())
    url = _link(channel, linking.code_for(db(), current_user(), channel.name))
    commit_and_release()
    if is_pocketable(request.user_agent.string):
        return go_to(url)
    return render_template("channels/link.html", channel=channel, url=url, code_image=_image(url))


def _link(channel: Channel, code: str) -> str:
    """Return the address of a code; refuse it while the messenger cannot be asked who we are."""
    try:
        return channel.link_url(code)
    except ChannelFailed as failure:
        log.warning("channel.away", channel=channel.name, error=str(failure))
        raise linking.ChannelAway(messenger=channel.label) from failure


@pages.get("/settings/channels/<channel_name>/standing")
@member_required
def show_standing(channel_name: str) -> Answer:
    """Say whether the messenger is still to be connected; when it is, the page goes on."""
    channel = _find(channel_name)
    if accounts.find_own(db(), current_user().id, channel.name) is None:
        return "", 204
    flash(gettext("%(messenger)s is connected.", messenger=channel.label))
    if "again" in request.args:
        return part("", refresh="true")
    return go_to(_settings())


@pages.post("/settings/channels/<channel_name>/removal")
@member_required
def unlink(channel_name: str) -> Answer:
    """Let go of the messenger, also of one that this site does not offer any more."""
    account = _find_own(channel_name)
    linking.unlink(db(), account)
    words = gettext("%(messenger)s is disconnected.", messenger=registry.label_of(account.channel))
    flash(words)
    return go_to(_settings())


@pages.post("/chat/<uuid:conversation_id>/channels/<channel_name>")
@member_required
def go_on_there(conversation_id: UUID, channel_name: str) -> Answer:
    """Let the messenger go on in a conversation, which is shown there from now on."""
    user_id = current_user().id
    # Nobody deletes it between the look and the write.
    ledger.lock_account(db(), user_id)
    conversation = conversations.find_own(db(), user_id, conversation_id)
    account = _find_own(channel_name)
    linking.continue_in(db(), account, conversation.id, conversation.title)
    label = registry.label_of(account.channel)
    flash(gettext("%(messenger)s goes on with this conversation.", messenger=label))
    return go_to(url_for("chat.show", conversation_id=conversation_id))


def _find(channel_name: str) -> Channel:
    channel = registry.find(channel_name)
    if channel is None:
        abort(404)
    return channel


def _find_own(channel_name: str) -> ChannelAccount:
    account = accounts.find_own(db(), current_user().id, channel_name)
    if account is None:
        raise NotFound
    return account


def _settings() -> str:
    return url_for("preferences.show", _anchor="channels")


def _image(url: str) -> Markup:
    """Draw an address as a code for the camera of a phone: dark on light in either theme."""
    drawn = segno.make(url, error="m").svg_inline(
        omitsize=True, border=3, dark="#10201c", light="#ffffff", svgclass="w-full h-auto"
    )
    return Markup(drawn)  # noqa: S704  # it draws, and writes nothing of what it is given
