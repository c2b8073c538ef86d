"""The switches: what owners change while the product runs."""

from collections.abc import Callable

from flask import Blueprint, render_template, request, url_for
from pydantic import ValidationError

from actions import switching
from actions.sentences.refusals import sentence_of
from agent import catalogue
from gateways import values
from gateways.values import BadValue
from models.base import new_id
from models.errors import Refused
from models.money import typed_dollars
from models.ops import switch_changes, switches
from models.ops.switches import SENTENCE_MAX_LENGTH, SignUpRule, Switches
from models.people.admin_roles import Permission
from settings import get_settings
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_switches", __name__)

SIGN_UPS = {
    SignUpRule.OPEN: "Open to everybody",
    SignUpRule.INVITE_ONLY: "With an invitation code only",
    SignUpRule.CLOSED: "Closed",
}
SHOWN_VERSIONS = 20


class BadSwitches(Refused):
    """Something in the form is no value of its switch."""

    code = "bad_switches"


@pages.get("/admin/switches")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show how everything is switched, and how it was changed."""
    return _page()


@pages.post("/admin/switches")
@allowed_to(Permission.SWITCH)
def change() -> Answer:
    """Set all switches but the pauses."""
    version = request.form.get("version")
    checked = _typed()
    try:
        order = ordered()
        switching.change(db(), order, checked(), shown_version=_version(version))
    except Refused as refusal:
        return _page(sentence_of(refusal)), 422
    flash_done("Switched. It counts everywhere within five seconds.")
    return go_to(url_for("admin_switches.show"))


def _typed() -> Callable[[], Switches]:
    """Read the whole form; what it returns checks it."""
    form = request.form
    credit, off = form.get("free_credit", "").strip(), form.getlist("off")
    numbers = {
        "margin": form.get("margin"),
        "network_grants": form.get("network_grants"),
        "network_requests": form.get("network_requests"),
    }
    words = {
        "sign_up": form.get("sign_up", ""),
        "announcement": form.get("announcement", "").strip(),
        "is_maintenance": form.get("maintenance") == "yes",
        "maintenance_sentence": form.get("maintenance_sentence", "").strip(),
        "default_model": form.get("default_model") or None,
    }

    def _checked() -> Switches:
        try:
            return Switches.model_validate(
                {
                    **words,
                    **{name: _number(given) for name, given in numbers.items()},
                    "models_off": sorted(values.model_id(one) for one in off),
                    "free_credit": values.dollars(credit) if credit else None,
                }
            )
        except (ValidationError, BadValue) as nonsense:
            raise BadSwitches from nonsense

    return _checked


def _version(given: str | None) -> int:
    try:
        return values.integer(given)
    except BadValue as nonsense:
        raise BadSwitches from nonsense


def _number(given: str | None) -> int | None:
    return values.integer(given.strip()) if given and given.strip() else None


def _page(refusal: str = "") -> str:
    now = switches.latest(db())
    settings = get_settings()
    return render_template(
        "admin/switches/page.html",
        version=now.version,
        now=now.switches,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
        sign_ups=SIGN_UPS,
        models=catalogue.models(settings),
        settings=settings,
        dollars=typed_dollars,
        sentence_max=SENTENCE_MAX_LENGTH,
        versions=switch_changes.list_versions(db(), SHOWN_VERSIONS),
    )
