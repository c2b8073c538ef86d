"""The page of reminders: what comes today and later, what has fired, and setting them by hand."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Blueprint, Response, flash, render_template, request, url_for

from actions import task_runs as task_actions
from actions.sentences import reminders as sentences
from actions.sentences.refusals import sentence_of
from gateways import values
from gateways.values import BadValue
from models.base import utc_now
from models.errors import Refused
from models.ledger.limits import BadLimit
from models.money import typed_dollars
from models.periods import day_of
from models.reminders import feeds, once, queries, reminders, snoozes, task_runs
from models.reminders.reminders import BadSnooze
from models.reminders.snoozes import Snooze
from models.schema.reminders import Reminder, ReminderFiring, ReminderStatus
from models.translation import gettext
from settings import get_settings
from webapp.core.auth import current_user, member_required
from webapp.core.db import db
from webapp.core.formats import local_time, viewers_zone
from webapp.core.htmx import Answer, go_to
from webapp.reminders.forms import CHOICES, ReminderForm

pages = Blueprint("reminders", __name__)
pages.add_app_template_global(sentences.described, "how_often")
pages.add_app_template_global(sentences.outcome_of)
pages.add_app_template_global(lambda: sentences.SNOOZES, "snoozes_offered")

PAST_LENGTH = 30


@dataclass(frozen=True)
class Listed:
    """A user's reminders by when they come. `earlier` is where the page before of the past ends."""

    fired_today: list[ReminderFiring]
    due_today: list[Reminder]
    upcoming: list[Reminder]
    past: list[ReminderFiring]
    earlier: UUID | None

    @property
    def is_empty(self) -> bool:
        return not (self.fired_today or self.due_today or self.upcoming or self.past)


@pages.get("/reminders")
@member_required
def show() -> Answer:
    """Show all reminders; `before` goes further back in the past."""
    return page(ReminderForm.empty(viewers_zone()))


@pages.post("/reminders")
@member_required
def create() -> Answer:
    """Set a reminder; refusals keep what was typed."""
    form = ReminderForm.posted()
    try:
        made = once.create_once(
            db(),
            current_user().id,
            form.said(),
            form.recurrence(),
            kind=form.kind,
            tell_only_if=form.condition(),
        )
    except Refused as refusal:
        return page(form, sentence_of(refusal)), 422
    return _done(_set_for(made))


@pages.get("/reminders/<uuid:reminder_id>")
@member_required
def show_one(reminder_id: UUID) -> Answer:
    """Show the form that changes a reminder."""
    reminder = queries.find_own(db(), current_user().id, reminder_id)
    return _form_page(reminder, ReminderForm.of(reminder))


@pages.post("/reminders/<uuid:reminder_id>")
@member_required
def edit(reminder_id: UUID) -> Answer:
    """Change what a reminder says and when; refusals keep what was typed."""
    reminder = queries.find_own(db(), current_user().id, reminder_id)
    form = ReminderForm.posted()
    try:
        reminders.choose_kind(reminder, form.kind, form.condition())
        reminders.edit(db(), current_user(), reminder, form.said(), form.recurrence())
    except Refused as refusal:
        return _form_page(reminder, form, sentence_of(refusal)), 422
    return _done(_set_for(reminder))


@pages.post("/reminders/<uuid:reminder_id>/pause")
@member_required
def pause(reminder_id: UUID) -> Response:
    """Let a reminder wait until it is resumed."""
    reminders.pause(db(), queries.find_own(db(), current_user().id, reminder_id))
    return _done(gettext("Paused. It waits until you resume it."))


@pages.post("/reminders/<uuid:reminder_id>/resumption")
@member_required
def resume(reminder_id: UUID) -> Response:
    """Let a paused reminder go on."""
    reminder = queries.find_own(db(), current_user().id, reminder_id)
    reminders.resume(db(), reminder)
    return _done(_set_for(reminder))


@pages.post("/reminders/<uuid:reminder_id>/skip")
@member_required
def skip(reminder_id: UUID) -> Response:
    """Leave the next time of a reminder out."""
    reminder = queries.find_own(db(), current_user().id, reminder_id)
    reminders.skip(db(), reminder)
    return _done(_set_for(reminder))


@pages.post("/reminders/<uuid:reminder_id>/snooze")
@member_required
def snooze(reminder_id: UUID) -> Response:
    """Let a reminder come again a little later."""
    reminder = queries.find_own(db(), current_user().id, reminder_id)
    _snooze(reminder)
    return _done(_set_for(reminder))


@pages.post("/reminders/<uuid:reminder_id>/done")
@member_required
def finish(reminder_id: UUID) -> Response:
    """Tick off what a reminder has said."""
    reminders.finish(db(), queries.find_own(db(), current_user().id, reminder_id))
    return _done(gettext("Done."))


@pages.post("/reminders/said/<uuid:message_id>/snooze")
@member_required
def snooze_said(message_id: UUID) -> Response:
    """Let the reminder that said a message come again, and go back to where it was said."""
    reminder = queries.find_said(db(), current_user().id, message_id)
    _snooze(reminder)
    return _back(reminder, _set_for(reminder))


@pages.post("/reminders/said/<uuid:message_id>/done")
@member_required
def finish_said(message_id: UUID) -> Response:
    """Tick off what was said by a message, and go back there."""
    reminder = queries.find_said(db(), current_user().id, message_id)
    reminders.finish(db(), reminder)
    return _back(reminder, gettext("Done."))


@pages.post("/reminders/<uuid:reminder_id>/deletion")
@member_required
def delete(reminder_id: UUID) -> Response:
    """Delete a reminder, with when it fired; a task of it that is not over is stopped."""
    task_actions.delete(db(), current_user().id, reminder_id)
    return _done(gettext("Deleted. It will not come again."))


@pages.post("/reminders/task-limit")
@member_required
def choose_task_limit() -> Answer:
    """Set what all tasks may cost in a day; an empty field is the usual limit."""
    typed = request.form.get("task_limit", "").strip()
    try:
        task_runs.choose_limit(db(), current_user().id, values.dollars(typed) if typed else None)
    except (BadValue, BadLimit):
        return page(ReminderForm.empty(viewers_zone()), sentence_of(BadLimit())), 422
    return _done(gettext("Saved. The limit holds from the next task on."))


def _snooze(reminder: Reminder) -> None:
    given = request.form.get("again", "")
    if given not in list(Snooze):
        raise BadSnooze
    at = snoozes.until(Snooze(given), current_user().timezone, utc_now())
    reminders.snooze(db(), reminder, at)


def _back(reminder: Reminder, words: str) -> Response:
    flash(words)
    if reminder.conversation_id is None:
        return go_to(url_for("reminders.show"))
    return go_to(url_for("chat.show", conversation_id=reminder.conversation_id))


def _done(words: str) -> Response:
    flash(words)
    return go_to(url_for("reminders.show"))


def _set_for(reminder: Reminder) -> str:
    """Say when it comes next, so that a wrong time is noticed."""
    if reminder.status is ReminderStatus.PAUSED:
        return gettext("It stays paused until you resume it.")
    if reminder.due_at is None:
        return gettext("Nothing more will come of this reminder.")
    when = reminder.due_at.astimezone(viewers_zone())
    return gettext(
        "Set for %(day)s at %(time)s (%(zone)s).",
        day=f"{gettext(sentences.WEEKDAYS[when.weekday()])}, {_day(reminder.due_at)}",
        time=local_time(reminder.due_at),
        zone=viewers_zone().key.replace("_", " "),
    )


def page(form: ReminderForm, refusal: str = "", *, feed_address: str = "") -> str:
    """Draw the page; a calendar link that was just made is shown this once."""
    before = request.args.get("before", type=values.uuid_or_none)
    listed, user = _listed(before), current_user()
    micros = user.task_day_limit_micros
    return render_template(
        "reminders/page.html",
        listed=listed,
        talks=queries.conversations_of(db(), [*listed.fired_today, *listed.past]),
        task_limit=typed_dollars(micros) if micros is not None else "",
        usual_task_micros=get_settings().task_day_limit_micros,
        form=form,
        refusal=refusal,
        choices=CHOICES,
        weekdays=sentences.WEEKDAYS,
        zone=viewers_zone().key,
        when=_when,
        snoozes=sentences.SNOOZES,
        feed=feeds.find(db(), current_user().id),
        feed_address=feed_address,
    )


def _form_page(reminder: Reminder, form: ReminderForm, refusal: str = "") -> str:
    return render_template(
        "reminders/edit.html",
        reminder=reminder,
        form=form,
        refusal=refusal,
        choices=CHOICES,
        weekdays=sentences.WEEKDAYS,
        zone=viewers_zone().key,
    )


def _listed(before: UUID | None) -> Listed:
    user = current_user()
    today = day_of(user.timezone, utc_now())
    open_ones = queries.list_open(db(), user.id)
    fired = list(queries.list_fired(db(), user.id, before=before, limit=PAST_LENGTH + 1))
    shown = fired[:PAST_LENGTH]
    due = [one for one in open_ones if one.due_at is not None and one.due_at < today.ends]
    return Listed(
        fired_today=[one for one in shown if one.fired_at >= today.begins],
        due_today=due,
        upcoming=[one for one in open_ones if one not in due],
        past=[one for one in shown if one.fired_at < today.begins],
        earlier=shown[-1].id if len(fired) > PAST_LENGTH else None,
    )


def _when(at: datetime) -> str:
    """Say when something comes: only the time if that is today, else weekday and day too."""
    local, now = at.astimezone(viewers_zone()), utc_now().astimezone(viewers_zone())
    if local.date() == now.date():
        return local_time(at)
    return f"{gettext(sentences.WEEKDAYS[local.weekday()])}, {_day(at)}, {local_time(at)}"


def _day(at: datetime) -> str:
    local, now = at.astimezone(viewers_zone()), utc_now().astimezone(viewers_zone())
    year = "" if local.year == now.year else f" {local.year}"
    return f"{local.day} {local:%B}{year}"
