"""A person's conversations: finding, renaming and deleting them, or a message of one."""

from uuid import UUID

from flask import Blueprint, Response, render_template, request, url_for

import actions.conversations
from gateways import values
from gateways.values import BadValue
from models.chat import conversations, message_deletion
from webapp.chat.listing import ConversationList
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.formats import dom_id
from webapp.core.htmx import Answer, go_to, is_partial, part
from webapp.core.live import hub

pages = Blueprint("chat_list", __name__)


@pages.get("/conversations")
@member_required
def show() -> Answer:
    """List conversations, those behind `behind` and with `q` in their name if it is given."""
    listed = ConversationList.asked()
    if not is_partial():
        return render_template("chat/list.html", listed=listed)
    name = "chat/_conversations.html" if listed.is_first else "chat/_conversation_rows.html"
    return render_template(name, listed=listed)


@pages.get("/chat/<uuid:conversation_id>/edit")
@member_required
def edit(conversation_id: UUID) -> Answer:
    """Offer to rename or delete a conversation, on a page that needs no script."""
    conversation = conversations.find_own(db(), current_user().id, conversation_id)
    return render_template("chat/edit.html", conversation=conversation)


@pages.post("/chat/<uuid:conversation_id>/title")
@member_required
def rename(conversation_id: UUID) -> Answer:
    """Give a conversation another name; refuse an empty or overlong one."""
    conversation = conversations.find_own(db(), current_user().id, conversation_id)
    try:
        title = values.line(request.form.get("title", ""), most=conversations.TITLE_MAX_LENGTH)
    except BadValue as odd:
        raise conversations.BadTitle from odd
    conversations.rename(conversation, title)
    if not is_partial():
        return go_to(url_for("chat.show", conversation_id=conversation_id))
    html = render_template(
        "chat/_renamed.html",
        conversation=conversation,
        is_open=request.form.get("open") == str(conversation_id),
    )
    return part(html, retarget=f"#{dom_id(conversation, 'row')}", reswap="outerHTML")


@pages.post("/chat/<uuid:conversation_id>/memory")
@member_required
def remember(conversation_id: UUID) -> Answer:
    """Let what is said in a conversation be remembered, or not, from now on."""
    conversation = conversations.find_own(db(), current_user().id, conversation_id)
    conversations.remember(conversation, is_remembered=request.form.get("remember") == "yes")
    return go_to(url_for("chat.show", conversation_id=conversation_id))


@pages.post("/chat/<uuid:conversation_id>/deletion")
@member_required
def delete(conversation_id: UUID) -> Response:
    """Delete a conversation with all that was said and sent in it; answers under way stop."""
    actions.conversations.delete(db(), current_user(), conversation_id, hub())
    return go_to(url_for("chat.show_latest"))


@pages.get("/chat/<uuid:conversation_id>/messages/<uuid:message_id>/deletion")
@member_required
def ask_to_delete_message(conversation_id: UUID, message_id: UUID) -> Answer:
    """Ask whether to delete a message with its answer."""
    user = current_user()
    message = message_deletion.find_own(db(), user.id, conversation_id, message_id)
    return render_template("chat/delete_message.html", message=message)


@pages.post("/chat/<uuid:conversation_id>/messages/<uuid:message_id>/deletion")
@member_required
def delete_message(conversation_id: UUID, message_id: UUID) -> Response:
    """Delete a message that the user wrote, with its answer and files; not while it is answered."""
    actions.conversations.delete_message(db(), current_user(), conversation_id, message_id, hub())
    return go_to(url_for("chat.show", conversation_id=conversation_id))
