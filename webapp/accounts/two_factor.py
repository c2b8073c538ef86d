"""Two-factor sign-in in the settings: set it up, renew the recovery codes, switch it off."""

import segno
from flask import Blueprint, render_template, request, url_for
from markupsafe import Markup

from actions import wakeups
from actions.sentences.refusals import sentence_of
from models.errors import Refused
from models.people import two_factor
from webapp.accounts import preferences
from webapp.core.auth import current_session, current_user, login_required
from webapp.core.db import commit_and_release, db
from webapp.core.htmx import Answer, go_to
from webapp.core.security import limiter, login_limit

pages = Blueprint("two_factor", __name__)


def _person() -> str:
    return f"person:{current_user().id}"


@pages.get("/settings/two-factor")
@login_required
def show() -> Answer:
    """Show how signing in stands, or what an app is given while it is set up."""
    return _page()


@pages.post("/settings/two-factor")
@login_required
@limiter.limit(login_limit, key_func=_person)
def begin() -> Answer:
    """Begin to set it up, for whoever types the password."""
    try:
        two_factor.begin(db(), current_session(), request.form.get("two-factor-password", ""))
    except Refused as refusal:
        return _page(sentence_of(refusal)), 422
    return go_to(url_for("two_factor.show"))


@pages.post("/settings/two-factor/code")
@login_required
@limiter.limit(login_limit, key_func=_person)
def confirm() -> Answer:
    """Switch it on by the first code of the app, and show the recovery codes this once."""
    try:
        codes = two_factor.confirm(db(), current_session(), _code())
    except Refused as refusal:
        return _refused(refusal)
    wakeups.mail_after_commit(db())
    return render_template("accounts/two_factor/codes.html", codes=codes)


@pages.post("/settings/two-factor/recovery-codes")
@login_required
@limiter.limit(login_limit, key_func=_person)
def renew_codes() -> Answer:
    """Replace the recovery codes, and show the new ones this once."""
    try:
        codes = two_factor.renew_codes(db(), current_user().id, _code())
    except Refused as refusal:
        return _refused(refusal)
    return render_template("accounts/two_factor/codes.html", codes=codes)


@pages.post("/settings/two-factor/removal")
@login_required
@limiter.limit(login_limit, key_func=_person)
def turn_off() -> Answer:
    """Switch it off for whoever types a code."""
    try:
        two_factor.turn_off(db(), current_user(), _code())
    except Refused as refusal:
        return _refused(refusal)
    wakeups.mail_after_commit(db())
    return preferences.saved("Two-factor sign-in is switched off.", "two-factor")


def _code() -> str:
    return request.form.get("code", "")


def _refused(refusal: Refused) -> Answer:
    # That a code was wrong counts, whatever the answer is.
    commit_and_release()
    return _page(sentence_of(refusal)), 422


def _page(refusal: str = "") -> str:
    set_up = two_factor.find_set_up(db(), current_session())
    return render_template(
        "accounts/two_factor/page.html",
        refusal=refusal,
        standing=two_factor.standing(db(), current_user().id),
        set_up=set_up,
        code_image=_image(set_up.address) if set_up else None,
        code_max=two_factor.CODE_MAX_LENGTH,
        has_shown_code=current_session().two_factor_at is not None,
    )


def _image(address: str) -> Markup:
    """Draw what an app is given for the camera of a phone: dark on light in either theme."""
    drawn = segno.make(address, error="m").svg_inline(
        omitsize=True, border=3, dark="#10201c", light="#ffffff", svgclass="w-full h-auto"
    )
    return Markup(drawn)  # noqa: S704  # it draws, and writes nothing of what it is given
