"""The page behind the link that a messenger offers a stranger: it connects that chat to an account.

The link proves who has the chat, and the login whose account it is; only together they connect.
"""

from flask import Blueprint, abort, flash, render_template, request, url_for

from actions.channels import linking
from actions.sentences.refusals import sentence_of
from channels import registry
from channels.base import Channel
from models.channels import accounts, links
from models.channels.accounts import LinkedElsewhere, OtherLinked
from models.errors import Refused
from models.schema.channels import ChannelLink
from models.translation import gettext
from webapp.core import detours
from webapp.core.auth import current_user, find_current_user, login_required, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("channel_connection", __name__)


@pages.get("/channels/<channel_name>/connection/<secret>")
def show(channel_name: str, secret: str) -> Answer:
    """Ask whether the chat is to be connected; who has no account comes back once they do."""
    channel = _find(channel_name)
    user = find_current_user()
    if user is None or not user.is_onboarded:
        detours.remember(request.path)
        return _show_login()
    detours.take()
    try:
        link = _find_link(channel, secret)
    except Refused as refusal:
        return _refused(channel, refusal)
    return render_template(
        "channels/connection.html", channel=channel, name=link.name, secret=secret
    )


@login_required
def _show_login() -> Answer:
    return go_to(url_for("onboarding.show"))


@pages.post("/channels/<channel_name>/connection/<secret>")
@member_required
def confirm(channel_name: str, secret: str) -> Answer:
    """Connect the chat to the account of whoever asks; refuse a link that was used or is old."""
    channel = _find(channel_name)
    try:
        linking.confirm(db(), current_user(), channel.name, secret)
    except Refused as refusal:
        return _refused(channel, refusal)
    flash(gettext("%(messenger)s is connected.", messenger=channel.label))
    return go_to(url_for("preferences.show", _anchor="channels"))


def _find(channel_name: str) -> Channel:
    channel = registry.find(channel_name)
    if channel is None:
        abort(404)
    return channel


def _find_link(channel: Channel, secret: str) -> ChannelLink:
    """Find what a link connects; refuse at once what pressing the button could only refuse."""
    link = links.find_for_outside(db(), channel.name, secret)
    user_id = current_user().id
    holder = accounts.find_outside(db(), channel.name, link.account_id or "")
    if holder is not None and holder.user_id != user_id:
        raise LinkedElsewhere
    if holder is None and accounts.find_own(db(), user_id, channel.name) is not None:
        raise OtherLinked
    return link


def _refused(channel: Channel, refusal: Refused) -> Answer:
    page = render_template("channels/refused.html", channel=channel, refusal=sentence_of(refusal))
    return page, 422
