"""Sends one claimed delivery, whatever its kind, and writes down how it went."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.attachments import storage
from actions.channels import answer_files, notices
from actions.sentences import failures
from channels.base import Channel, ChannelFailed, Trouble
from channels.outbound import Button, OutgoingFile, Part
from gateways.s3_files import NotStored, StorageFailed
from models.channels import accounts, deliveries, delivery_claims
from models.channels.delivery_claims import ClaimedDelivery
from models.chat import answer_files as handed_over
from models.chat import sources
from models.database import OUTAGES, unit_of_work
from models.schema.answer_files import AnswerFile
from models.schema.channels import ChannelAccount, DeliveryKind, DeliveryStatus
from models.schema.chat import ASSISTANT, Message
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.users import User
from models.translation import gettext, speaking
from tasks.messaging.following import Follower
from tasks.messaging.parts import LeaseLost, PartSender, Rows

log = structlog.get_logger()


# What fails by a fault of ours holds its lane up no longer than so many tries.
MOST_FAULTS = 5


@dataclass(frozen=True)
class Answer:
    """What is shown of a job that is over."""

    text: str
    rows: Rows = ()
    files: Sequence[AnswerFile] = ()


def deliver(claimed: ClaimedDelivery, channel: Channel, is_over: Callable[[], bool]) -> None:
    """Send a claimed delivery; what the messenger does not take is tried again, or given up."""
    try:
        with speaking(_locale_of(claimed)):
            SEND[claimed.kind](claimed, channel, is_over)
    except ChannelFailed as failure:
        _fail(claimed, failure)
    except LeaseLost:
        log.info("delivery.lost", delivery_id=str(claimed.id))
    except OUTAGES:
        # Its lease ends, and it is found again.
        raise
    except Exception as fault:
        log.exception("delivery.broken", delivery_id=str(claimed.id), kind=claimed.kind)
        _put_off_broken(claimed, fault)


def _locale_of(claimed: ClaimedDelivery) -> str | None:
    if claimed.user_id is None:
        return None
    with unit_of_work() as db:
        user = db.get(User, claimed.user_id)
        return user.locale if user else None


def _fail(claimed: ClaimedDelivery, failure: ChannelFailed) -> None:
    with unit_of_work() as db:
        if failure.trouble is Trouble.BLOCKED:
            _note_blocked(db, claimed)
            delivery_claims.finish(db, claimed, DeliveryStatus.CANCELLED, str(failure))
        elif failure.is_permanent:
            delivery_claims.finish(db, claimed, DeliveryStatus.FAILED, str(failure))
        else:
            seconds = failure.retry_after_seconds
            wait = timedelta(seconds=seconds) if seconds else None
            delivery_claims.put_off(db, claimed, str(failure), wait)
    log.warning(
        "delivery.failed",
        delivery_id=str(claimed.id),
        kind=claimed.kind,
        trouble=failure.trouble,
        attempt=claimed.attempt,
    )


def _put_off_broken(claimed: ClaimedDelivery, fault: Exception) -> None:
    words = type(fault).__name__
    with unit_of_work() as db:
        if claimed.failures + 1 >= MOST_FAULTS:
            delivery_claims.finish(db, claimed, DeliveryStatus.FAILED, words)
        else:
            delivery_claims.put_off(db, claimed, words)


def _note_blocked(db: Session, claimed: ClaimedDelivery) -> None:
    account = db.get(ChannelAccount, claimed.account_id) if claimed.account_id else None
    if account is not None:
        accounts.mark_blocked(db, account.channel, account.account_id)


def _send_answer(claimed: ClaimedDelivery, channel: Channel, is_over: Callable[[], bool]) -> None:
    sender = PartSender(claimed, channel)
    with unit_of_work() as db:
        job = db.get(Job, claimed.job_id)
    if job is None:
        _finish(claimed, DeliveryStatus.CANCELLED)
        return
    status = job.status
    if status is JobStatus.RUNNING:
        status = Follower(sender, job, is_over).follow()
    if status is JobStatus.PAUSED:
        _tell_paused(claimed)
    elif status in {JobStatus.PENDING, JobStatus.RUNNING}:
        # It will be tried again, or this process ends: the next one goes on.
        with unit_of_work() as db:
            delivery_claims.await_job(db, claimed)
    else:
        _send_outcome(sender, claimed)


def _send_outcome(sender: PartSender, claimed: ClaimedDelivery) -> None:
    with unit_of_work() as db:
        answer = _answer_of(db, db.get(Job, claimed.job_id))
    if answer is None:
        _finish(claimed, DeliveryStatus.CANCELLED)
        return
    _send_words(sender, answer)
    _finish(claimed, DeliveryStatus.SENT)


def _send_words(sender: PartSender, answer: Answer) -> None:
    """Send words with their buttons; where there are none, links stand below the words."""
    rows, words = answer.rows, [answer.text]
    if not sender.channel.capabilities.has_buttons:
        words += (f"{one.label}: {one.url}" for row in rows for one in row if one.url)
        rows = ()
    parts = sender.channel.render("\n\n".join(words))
    sender.send_all(parts, rows)
    most_bytes = sender.channel.capabilities.outbound_file_limit_bytes
    waiting = [partial(_fetch, sender.channel, file, most_bytes) for file in answer.files]
    sender.send_files(waiting, after=len(parts))


def _fetch(channel: Channel, file: AnswerFile, most_bytes: int) -> OutgoingFile | Part:
    """Fetch a file to be sent, or say in its place that it is on the website."""
    if file.size_bytes > most_bytes:
        return channel.render(answer_files.not_sent(file.name))[0]
    try:
        return OutgoingFile(file.name, file.media_type, storage().get(file.storage_key))
    except NotStored:
        # It was deleted a moment ago.
        return channel.render(answer_files.gone(file.name))[0]
    except StorageFailed as failure:
        raise ChannelFailed(Trouble.UNREACHABLE, "the storage is away") from failure


def _answer_of(db: Session, job: Job | None) -> Answer | None:
    """Say what came of a job; None if its conversation is deleted."""
    if job is None or job.message_id is None:
        return None
    said, files = _said(db, job), handed_over.of_jobs(db, [job.id]).get(job.id, ())
    if job.status is JobStatus.COMPLETED:
        return Answer(_with_sources(db, job, said), files=files)
    if job.status is JobStatus.CANCELLED:
        return Answer(_joined(said, f"*{gettext('Stopped.')}*"), [[_retry(job)]], files)
    words = notices.plain_lines(failures.of_job(job))
    return Answer(_joined(said, f"*{words}*"), [_helping(job)], files)


def _helping(job: Job) -> list[Button]:
    """Offer what helps against the failure of a job."""
    if job.failure_code is FailureCode.MESSAGE_LIMIT:
        return [Button(gettext("Go on"), data=f"more:{job.id}")]
    if job.failure_code is FailureCode.NO_CREDIT:
        return [notices.top_up_button(), _retry(job)]
    if job.failure_code in {FailureCode.DAY_LIMIT, FailureCode.MONTH_LIMIT}:
        return [notices.limits_button(), _retry(job)]
    return [_retry(job)]


def _retry(job: Job) -> Button:
    return Button(gettext("Try again"), data=f"retry:{job.id}")


def _said(db: Session, job: Job) -> str:
    answer = select(Message.text).where(Message.job_id == job.id, Message.role == ASSISTANT)
    return db.scalar(answer) or ""


def _with_sources(db: Session, job: Job, said: str) -> str:
    """List below an answer what it was made from, by the numbers that it cites."""
    found = sources.of_answers(db, {job.id: said}).get(job.id, ())
    listed = (f"\\[{one.number}\\] [{notices.plain(one.title)}](<{one.url}>)" for one in found)
    lines = "\\\n".join((f"*{gettext('Sources')}*", *listed))
    return _joined(said, lines) if found else said


def _joined(said: str, outcome: str) -> str:
    return f"{said}\n\n{outcome}" if said.strip() else outcome


def _tell_paused(claimed: ClaimedDelivery) -> None:
    """Say once that the message waits for credits; its answer comes when there are some."""
    with unit_of_work() as db:
        account = db.get(ChannelAccount, claimed.account_id) if claimed.account_id else None
        if account is not None:
            content = notices.paused().as_content()
            to, reference = deliveries.Recipient.of(account), f"paused:{claimed.id}"
            deliveries.notify(db, to, content, reference=reference)
        delivery_claims.await_job(db, claimed, has_told_paused=True)


def _send_question(claimed: ClaimedDelivery, channel: Channel, _: Callable[[], bool]) -> None:
    with unit_of_work() as db:
        message = db.get(Message, claimed.message_id)
        if message is None:
            delivery_claims.finish(db, claimed, DeliveryStatus.CANCELLED)
            return
        files = (f"📎 {notices.plain(upload.name)}" for upload in message.uploads)
        lines = [notices.plain_lines(message.text), *files]
    quoted = "\n".join(f"> {line}" for text in lines for line in text.splitlines())
    head = gettext("You, on the website:")
    PartSender(claimed, channel).send_all(channel.render(f"{head}\n\n{quoted}"))
    _finish(claimed, DeliveryStatus.SENT)


def _send_notice(claimed: ClaimedDelivery, channel: Channel, _: Callable[[], bool]) -> None:
    rows = [[Button(**button) for button in row] for row in claimed.content.get("rows", ())]
    _send_words(PartSender(claimed, channel), Answer(claimed.content["text"], rows))
    _finish(claimed, DeliveryStatus.SENT)


def _acknowledge(claimed: ClaimedDelivery, channel: Channel, _: Callable[[], bool]) -> None:
    channel.acknowledge(claimed.content["press_id"], claimed.content.get("text", ""))
    _finish(claimed, DeliveryStatus.SENT)


def _leave(claimed: ClaimedDelivery, channel: Channel, _: Callable[[], bool]) -> None:
    channel.leave(claimed.address)
    _finish(claimed, DeliveryStatus.SENT)


def _finish(claimed: ClaimedDelivery, status: DeliveryStatus) -> None:
    with unit_of_work() as db:
        delivery_claims.finish(db, claimed, status)
    log.info("delivery.over", delivery_id=str(claimed.id), kind=claimed.kind, status=status)


SEND: Mapping[DeliveryKind, Callable[[ClaimedDelivery, Channel, Callable[[], bool]], None]] = {
    DeliveryKind.ANSWER: _send_answer,
    DeliveryKind.QUESTION: _send_question,
    DeliveryKind.NOTICE: _send_notice,
    DeliveryKind.ACKNOWLEDGEMENT: _acknowledge,
    DeliveryKind.LEAVING: _leave,
}
