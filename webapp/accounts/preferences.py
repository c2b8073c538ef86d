"""A person's own settings: who they are, how they log in and where, and which model answers."""

from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request, url_for

from actions import offers
from actions.sentences.refusals import sentence_of
from models.archives import exports
from models.chat import conversations, storage_quotas
from models.errors import Refused
from models.people import identities, sessions, sign_out, two_factor, users
from models.people.users import NAME_MAX_LENGTH, NEEDS_MAX_LENGTH, Profile
from models.reminders import zone_changes
from settings import get_settings
from webapp.accounts import notification_views
from webapp.accounts.notification_views import NotificationsView
from webapp.accounts.onboarding import cleaned, profile_in_form, zones
from webapp.core.auth import current_session, current_user, member_required
from webapp.core.browsers import describe, is_pocketable
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.messengers import list_messengers

pages = Blueprint("preferences", __name__)


@pages.get("/settings")
@member_required
def show() -> Answer:
    """Show all settings."""
    return page()


@pages.post("/settings/profile")
@member_required
def edit_profile() -> Answer:
    """Change the answers of onboarding; refusals keep what was typed."""
    profile = profile_in_form()
    try:
        users.complete_onboarding(current_user(), cleaned(profile))
        zone_changes.follow(db(), current_user())
    except Refused as refusal:
        return page(profile, refusal=sentence_of(refusal)), 422
    return saved("Saved. Your assistant knows from the next message on.", "profile")


@pages.post("/settings/model")
@member_required
def choose_model() -> Answer:
    """Choose who answers from now on; refuse a model that is not offered."""
    offered = offers.find(request.form.get("model", ""))
    users.choose_model(current_user(), offered.id)
    return saved(f"{offered.display_name} answers from now on.", "model")


@pages.post("/settings/browsers/<uuid:session_id>/revocation")
@member_required
def revoke(session_id: UUID) -> Answer:
    """Log one of the person's browsers out."""
    sessions.revoke(db(), current_user().id, session_id)
    return saved("That browser is logged out.", "browsers")


@pages.post("/settings/browsers/revocation")
@member_required
def revoke_others() -> Answer:
    """Log every other browser of the person out."""
    sign_out.everywhere_else(db(), current_user().id, keep=current_session().id)
    return saved("Every other browser is logged out.", "browsers")


def saved(words: str, section: str) -> Response:
    """Go back to a section of the page, and say there what has changed."""
    flash(words)
    return go_to(url_for("preferences.show", _anchor=section))


def page(
    profile: Profile | None = None,
    *,
    refusal: str = "",
    section: str = "profile",
    new_email: str = "",
    notifications: NotificationsView | None = None,
) -> str:
    """Draw the page; a refusal stands in the section whose form was refused."""
    user = current_user()
    return render_template(
        "accounts/preferences/page.html",
        profile=profile or Profile(user.name, user.timezone, user.needs),
        refusals={section: refusal},
        new_email=new_email,
        notifications=notifications or notification_views.view(),
        zones=zones(),
        name_max=NAME_MAX_LENGTH,
        needs_max=NEEDS_MAX_LENGTH,
        choices=offers.offered(user),
        browsers=sessions.list_live(db(), user.id),
        this_browser=current_session(),
        describe=describe,
        is_pocketable=is_pocketable,
        mailbox_url=get_settings().mailbox_url,
        conversation_titles=_shown_by_messengers(),
        on_phone=is_pocketable(request.user_agent.string),
        google=identities.find(db(), user.id),
        offers_google=get_settings().offers_google,
        export=exports.find_newest(db(), user.id),
        deletion_days=get_settings().account_deletion_days,
        two_factor=two_factor.standing(db(), user.id),
        import_max_bytes=get_settings().import_max_bytes,
        storage=storage_quotas.used(db(), user.id),
        storage_limits={
            "uploads_bytes": get_settings().uploads_max_bytes_per_user,
            "staged_bytes": get_settings().staged_max_bytes_per_user,
            "state_bytes": get_settings().state_max_bytes_per_user,
        },
    )


def _shown_by_messengers() -> dict[UUID, str]:
    """Name the conversations that the person's messengers show."""
    shown = [one.conversation_id for one in list_messengers() if one.conversation_id]
    found = [conversations.find_or_none(db(), current_user().id, one) for one in shown]
    return {one.id: one.title for one in found if one is not None}
