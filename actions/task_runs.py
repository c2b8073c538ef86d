"""Tasks that are due are begun as jobs, and what came of them is told as was chosen.

A task that cannot be begun is told of too, once for each reason, and never waits unseen.
"""

from uuid import UUID

import structlog
from markupsafe import escape
from sqlalchemy.orm import Session

from actions import offers
from actions import reminders as telling
from actions.announcements import (
    Publisher,
    StreamPublisher,
    announce_cancelled,
    announce_queued,
)
from actions.attachments import drop_after_commit
from actions.channels.notices import plain
from actions.reminders import Fired
from actions.sentences import failures
from actions.sentences import reminders as sentences
from actions.sentences.refusals import sentence_of
from channels.outbound import Button
from gateways.live_events import JobEnded
from models import jobs, ledger
from models.chat import conversations
from models.database import after_commit, unit_of_work
from models.email import templates
from models.errors import Refused
from models.ops import switches
from models.reminders import deletion, dry_tasks, task_runs
from models.reminders.firing import DueReminder, FiredReminder
from models.reminders.task_runs import DueTask, EndedTask
from models.schema.chat import TASK, Conversation, Message, Role
from models.schema.jobs import Job, JobOrigin
from models.schema.notifications import Topic
from models.schema.reminders import FiringOutcome, ReminderFiring
from models.schema.users import User
from models.translation import gettext, speaking

log = structlog.get_logger()

AT_ONCE = 50
# The rest is where the button leads.
MAILED_LENGTH = 2000
PUBLISHER: Publisher = StreamPublisher()


def begin_due(limit: int = AT_ONCE) -> int:
    """Begin up to `limit` tasks that are due, each in a transaction of its own; return how many.

    None during maintenance: they wait for its end, as what is due once comes only once.
    """
    with unit_of_work() as db:
        if switches.current(db).is_maintenance:
            return 0
        found = task_runs.list_due(db, limit)
    return sum(begin(one) for one in found)


def tell_over(limit: int = AT_ONCE) -> int:
    """Tell what came of up to `limit` tasks whose jobs are over; return how many it were.

    Those that wait for credits end by that.
    """
    with unit_of_work() as db:
        dry = dry_tasks.list_all(db, limit)
    for job_id, user_id in dry:
        with unit_of_work() as db:
            dry_tasks.end(db, job_id, user_id)
    with unit_of_work() as db:
        found = task_runs.list_over(db, limit)
    told = 0
    for firing_id in found:
        with unit_of_work() as db:
            ended = task_runs.settle(db, firing_id)
            if ended is not None:
                told += 1
                _tell(db, ended)
    return told


def begin(one: DueTask) -> bool:
    """Begin a task, or say why not, unless somebody else has; return whether it was done here."""
    title = gettext(sentences.CONVERSATION)
    with unit_of_work() as db:
        user = ledger.lock_account(db, one.user_id)
        due = task_runs.take(db, user, one.reminder_id, title=title)
        if due is None:
            return False
        talk = task_runs.open_home(db, due, title=title)
        try:
            with db.begin_nested():
                job = _ask(db, user, talk, due)
        except Refused as refusal:
            _refuse(db, talk, due, refusal)
        else:
            task_runs.note_begun(db, due, job)
            announce_queued(db, job, PUBLISHER)
    log.info("task.due", user_id=str(one.user_id))
    return True


def delete(db: Session, user_id: UUID, reminder_id: UUID) -> None:
    """Delete a user's reminder; a task of it that waits or runs is stopped. Raises NotFound."""
    called_off = deletion.delete(db, user_id, reminder_id)
    drop_after_commit(db, called_off.keys)
    for job in called_off.jobs:
        announce_cancelled(db, job, PUBLISHER)


def _ask(db: Session, user: User, talk: Conversation, due: DueReminder) -> Job:
    # What a person sends waits for credits; what they do not wait for is rather told of.
    if jobs.is_paused(db, user):
        raise ledger.OutOfCredit
    return jobs.ask(
        db,
        talk,
        due.reminder.words,
        model=offers.current(user).id,
        cost_limit_micros=task_runs.allowance(db, user),
        source=jobs.Source(TASK, origin=JobOrigin.TASK, is_hidden=bool(due.reminder.tell_only_if)),
    )


def _refuse(db: Session, talk: Conversation, due: DueReminder, refusal: Refused) -> None:
    if task_runs.was_refused_alike(db, due.reminder.id, refusal.code):
        task_runs.note_refused(db, due, refusal.code, None)
        return
    with speaking(due.locale):
        why = sentence_of(refusal)
        markdown, html = _worded(due.reminder.words, plain(why), f"<p>{escape(why)}</p>")
    message = conversations.say(db, talk, Role.ASSISTANT, markdown, html=html)
    fired = task_runs.note_refused(db, due, refusal.code, message.id)
    said = _as_fired(fired, message, markdown)
    with speaking(due.locale):
        telling.send(db, [_result(said, gettext("A task was not begun"), why)])
    after_commit(db, lambda: telling.publish([said]))


def _tell(db: Session, ended: EndedTask) -> None:
    job, asked, fired = ended.job, ended.asked, ended.firing
    drop_after_commit(db, ended.keys)
    if job is None:
        return
    after_commit(db, lambda: _show(job))
    if asked is None or fired.outcome is FiringOutcome.STOPPED:
        return
    user = db.get_one(User, fired.user_id)
    with speaking(user.locale):
        title, answer, in_a_chat = gettext("A task is done"), ended.answer, ended.answer
        if fired.outcome in (FiringOutcome.FAILED, FiringOutcome.REFUSED):
            title, why = gettext("A task could not be finished"), failures.of_job(job)
            answer, in_a_chat = f"{answer}\n\n{why}", f"{answer}\n\n*{plain(why)}*".strip()
        markdown, _ = _worded(fired.words, in_a_chat, "")
        telling.send(db, [_result(_as_fired(fired, asked, markdown), title, answer)])


def _result(said: FiredReminder, title: str, answer: str) -> Fired:
    """Word what came of a task; a mail has the beginning of its answer."""
    shown = answer if len(answer) <= MAILED_LENGTH else f"{answer[:MAILED_LENGTH]}…"
    paragraphs = [one.strip() for one in shown.split("\n\n") if one.strip()]
    letter = templates.task_result(
        title,
        (said.words, *paragraphs),
        see=telling.open_button(said),
        why=gettext("You set this task. Choose in the settings how you are told."),
    )
    opened = telling.open_button(said)
    # Files and sources are there, and what a messenger shows of an answer may be cut.
    rows = [[Button(opened.label, url=opened.url)], *telling.buttons_of(said)]
    return Fired(Topic.TASKS, said, letter, rows)


def _show(job: Job) -> None:
    """Let open pages draw a task that was hidden until now, or is gone."""
    PUBLISHER.announce(job.conversation_id, job.id, JobEnded(job.status))


def _worded(words: str, markdown: str, html: str) -> tuple[str, str]:
    head = gettext("Task:")
    return (
        f"**{head}** {plain(words)}\n\n{markdown}",
        f"<p>{escape(head)} {escape(words)}</p>{html}",
    )


def _as_fired(fired: ReminderFiring, message: Message, markdown: str) -> FiredReminder:
    return FiredReminder(
        firing_id=fired.id,
        message_id=message.id,
        user_id=fired.user_id,
        conversation_id=message.conversation_id,
        words=fired.words,
        text=markdown,
    )
