"""Connecting a Google account to one's account, and disconnecting it."""

from flask import Blueprint, request

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import identities, users
from webapp.accounts import google_flow, preferences
from webapp.accounts.google_flow import Purpose
from webapp.core.auth import current_session, current_user, member_required
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import limiter, login_limit

pages = Blueprint("google_settings", __name__)


def _person() -> str:
    return f"person:{current_user().id}"


@pages.post("/settings/google")
@member_required
@limiter.limit(login_limit, key_func=_person)
def connect() -> Answer:
    """Send who types their password to Google's page, to connect the account chosen there."""
    try:
        users.check_password(current_user(), request.form.get("google-password", ""))
        page = google_flow.begin(Purpose.CONNECT, session_id=str(current_session().id))
    except Refused as refusal:
        return preferences.page(refusal=sentence_of(refusal), section="google"), 422
    return go_to(page)


@pages.post("/settings/google/removal")
@member_required
@limiter.limit(login_limit, key_func=_person)
def disconnect() -> Answer:
    """Let Google open the account no more; refuse to take the last way in."""
    try:
        identities.disconnect(db(), current_user().id)
    except Refused as refusal:
        return preferences.page(refusal=sentence_of(refusal), section="google"), 422
    wakeups.mail_after_commit(db())
    return preferences.saved("Google is disconnected.", "google")
