"""Getting to know each other: three answers that the assistant has before its first turn."""

from dataclasses import replace
from functools import lru_cache
from zoneinfo import available_timezones

from flask import Blueprint, render_template, request, url_for

from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.errors import Refused
from models.people import sign_ups, users
from models.people.users import NAME_MAX_LENGTH, NEEDS_MAX_LENGTH, BadProfile, Profile
from webapp.accounts.sign_ups import find_pending
from webapp.core.auth import current_user, login_required
from webapp.core.htmx import Answer, go_to

pages = Blueprint("onboarding", __name__)

SUGGESTIONS = (
    "Plan my week",
    "Write e-mails",
    "Learn a language",
    "Cook at home",
    "Study for exams",
    "Run my business",
    "Read paperwork",
    "Keep habits",
)


# Those that are too long for a name get a sentence of their own.
LONGEST_NAME = 1_000


class OddName(Refused):
    """A name has characters that cannot be shown."""

    code = "odd_name"


@pages.get("/onboarding")
def show() -> Answer:
    """Ask who this is; who has answered already goes on to the chat, or to wait for their mail."""
    waiting = find_pending()
    if waiting is None:
        return _show_to_user()
    if waiting.is_introduced:
        return go_to(url_for("sign_ups.wait"))
    return _page(Profile(waiting.name, "", waiting.needs))


@login_required
def _show_to_user() -> Answer:
    user = current_user()
    if user.is_onboarded:
        return go_to("/chat")
    return _page(Profile(user.name, "", user.needs))


@pages.post("/onboarding")
def answer() -> Answer:
    """Keep the answers and go on; refusals keep what was typed."""
    waiting = find_pending()
    profile = profile_in_form()
    try:
        if waiting is None:
            return _answer_of_user(profile)
        sign_ups.complete_onboarding(waiting, cleaned(profile))
    except Refused as refusal:
        return _page(profile, sentence_of(refusal)), 422
    return go_to(url_for("sign_ups.wait"))


@login_required
def _answer_of_user(profile: Profile) -> Answer:
    users.complete_onboarding(current_user(), cleaned(profile))
    return go_to("/chat")


def profile_in_form() -> Profile:
    """Read the three answers as they were typed."""
    return Profile(
        request.form.get("name", ""),
        request.form.get("timezone", ""),
        request.form.get("needs", ""),
    )


def cleaned(profile: Profile) -> Profile:
    """Return it with its name in one clean line.

    Refuses a name with what nobody can see in it, and a zone that is no place's.
    """
    try:
        name = values.line(profile.name, most=LONGEST_NAME)
    except BadValue as odd:
        raise OddName from odd
    try:
        return replace(profile, name=name, timezone=values.time_zone(profile.timezone))
    except BadValue as nowhere:
        raise BadProfile from nowhere


@lru_cache(maxsize=1)
def zones() -> tuple[str, ...]:
    """List the zones that people choose from: `Area/City`, and UTC."""
    return ("UTC", *sorted(name for name in available_timezones() if _is_place(name)))


def _is_place(name: str) -> bool:
    return "/" in name and not name.startswith(("Etc/", "SystemV/", "US/", "posix/", "right/"))


def _page(profile: Profile, refusal: str = "") -> str:
    return render_template(
        "accounts/onboarding/page.html",
        profile=profile,
        refusal=refusal,
        zones=zones(),
        suggestions=SUGGESTIONS,
        name_max=NAME_MAX_LENGTH,
        needs_max=NEEDS_MAX_LENGTH,
    )
