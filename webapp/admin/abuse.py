"""What speaks against users, where newcomers come from, and the lists, as admins see them."""

from collections.abc import Callable
from uuid import UUID

from flask import Blueprint, render_template, request, url_for

from actions import wakeups
from actions.sentences.abuse import sign
from actions.sentences.refusals import sentence_of
from gateways import values
from models.base import new_id, utc_now
from models.errors import NotFound, Refused
from models.ops import abuse_reports, abuse_scores, access_rule_actions
from models.ops.access_rule_actions import BadSubject
from models.ops.admin_actions import Order
from models.people.admin_roles import Permission
from models.schema.abuse import SubjectKind, Verdict
from webapp.admin.access import allowed_to
from webapp.admin.orders import flash_done, ordered
from webapp.core.db import db
from webapp.core.htmx import Answer, go_to

pages = Blueprint("admin_abuse", __name__)

RULES = 50
KINDS = {
    SubjectKind.USER: "A user, by address or id",
    SubjectKind.DOMAIN: "A mail domain, with all below it",
    SubjectKind.NETWORK: "A network",
}
VERDICTS = {
    Verdict.HOLD: "Hold: somebody looks first",
    Verdict.ALLOW: "Allow, whatever speaks against it",
    Verdict.BLOCK: "Block",
}


@pages.get("/admin/abuse")
@allowed_to(Permission.READ)
def show() -> Answer:
    """Show against whom most speaks, where newcomers come from, and what is on the lists."""
    return _draw()


@pages.post("/admin/abuse/rules")
@allowed_to(Permission.ACT)
def set_rule() -> Answer:
    """Put a user, a domain or a network on a list."""

    def _set(order: Order) -> None:
        kind = next((one for one in SubjectKind if one == request.form.get("kind")), None)
        verdict = next((one for one in Verdict if one == request.form.get("verdict")), None)
        if kind is None or verdict is None:
            raise BadSubject
        subject = access_rule_actions.subject_of(db(), kind, request.form.get("subject", ""))
        access_rule_actions.set_rule(db(), order, subject, verdict)

    return _do("set", _set, "It is on the list.")


@pages.post("/admin/abuse/rules/<uuid:rule_id>/end")
@allowed_to(Permission.ACT)
def end_rule(rule_id: UUID) -> Answer:
    """Take something off its list."""

    def _end(order: Order) -> None:
        access_rule_actions.end_rule(db(), order, rule_id)

    return _do(f"end-{rule_id}", _end, "It is off the list.")


def _do(name: str, verb: Callable[[Order], None], said: str) -> Answer:
    try:
        verb(ordered())
    except NotFound:
        raise
    except Refused as refusal:
        return _draw(refused=name, refusal=sentence_of(refusal)), 422
    wakeups.mail_after_commit(db())
    flash_done(said)
    return go_to(url_for("admin_abuse.show", _anchor="lists"))


def _draw(*, refused: str = "", refusal: str = "") -> str:
    found = abuse_scores.list_page(db(), limit=abuse_scores.PAGE + 1, after=_after())
    shown, rest = found[: abuse_scores.PAGE], found[abuse_scores.PAGE :]
    before = values.uuid_or_none(request.args.get("rules"))
    rules = access_rule_actions.list_rules(db(), limit=RULES + 1, before=before)
    return render_template(
        "admin/abuse/page.html",
        suspects=shown,
        next_after=shown[-1] if rest else None,
        sign=sign,
        week=abuse_reports.read(db(), utc_now()),
        rules=rules[:RULES],
        next_rules=rules[RULES - 1].id if len(rules) > RULES else None,
        kinds=KINDS,
        verdicts=VERDICTS,
        asked=request.args.get("subject", "")[: access_rule_actions.SUBJECT_MAX_LENGTH],
        asked_kind=request.args.get("kind", SubjectKind.USER),
        refused=refused,
        refusal=refusal,
        typed=request.form,
        new_key=new_id,
    )


def _after() -> tuple[int, UUID] | None:
    score = request.args.get("score", type=values.integer)
    user_id = values.uuid_or_none(request.args.get("after"))
    return None if score is None or user_id is None else (score, user_id)
