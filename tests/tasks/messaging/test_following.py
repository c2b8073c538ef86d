"""An answer grows in the messenger while it is written, and its whole takes its place."""

from dataclasses import replace
from typing import Any

from sqlalchemy.orm import Session

from actions import wakeups
from channels.base import Trouble
from gateways.live_events import AttemptBegan, JobEnded, LiveEvent, TextAdded
from models.database import unit_of_work
from models.schema.channels import DeliveryStatus
from models.schema.jobs import Job, JobStatus
from tests import factories
from tests.channels.loft import Loft
from tests.channels.pigeon import CAPABILITIES
from tests.tasks.messaging.steps import CHAT, answer, deliver, once


class Worker:
    """Writes an answer while it is followed: a step with each call of the messenger's."""

    def __init__(self, job: Job, *words: str, whole: str) -> None:
        self.job, self.words, self.whole = job, list(words), whole
        self.said = ""
        self._publish(AttemptBegan())

    def __call__(self, _: str) -> None:
        if self.words:
            word = self.words.pop(0)
            self._publish(TextAdded(len(self.said), word))
            self.said += word
        elif self.whole:
            with unit_of_work() as db:
                job = db.get_one(Job, self.job.id, populate_existing=True)
                factories.answer(db, job, self.whole)
            self.whole = ""
            self._publish(JobEnded(JobStatus.COMPLETED))

    def _publish(self, event: LiveEvent) -> None:
        job = self.job
        wakeups.streams().append(job.conversation_id, job.id, job.attempt, event)


def test_a_preview_grows_with_a_button_and_the_whole_takes_its_place(
    loft: Loft, running: Job
) -> None:
    loft.pigeon.mischief = Worker(running, "Ferns", " and", " moss", whole="Ferns and moss.")
    delivery = deliver(loft)
    (message,) = loft.pigeon.chats[CHAT]
    shown = [part.text for part in message.versions]
    assert shown == ["Ferns", "Ferns and", "Ferns and moss", "Ferns and moss."]
    assert message.rows == []
    assert loft.pigeon.calls[0] == f"typing {CHAT}"
    assert delivery.status is DeliveryStatus.SENT
    assert (delivery.preview_id, delivery.sent_ids) == ("1", ["1"])


def test_while_it_grows_it_can_be_stopped_there(loft: Loft, running: Job) -> None:
    worker = Worker(running, "Ferns", whole="Ferns.")
    seen: list[Any] = []

    def _watch(what: str) -> None:
        seen.extend(message.rows for message in loft.pigeon.chats.get(CHAT, ()))
        worker(what)

    loft.pigeon.mischief = _watch
    deliver(loft)
    assert seen[0][0][0].data == f"stop:{running.id}"


def test_what_cannot_be_changed_comes_once_it_is_whole(loft: Loft, running: Job) -> None:
    loft.pigeon.capabilities = replace(CAPABILITIES, can_edit=False)
    loft.pigeon.mischief = Worker(running, whole="Ferns and moss.")
    deliver(loft)
    assert loft.pigeon.texts(CHAT) == ["Ferns and moss."]
    assert "edit" not in loft.pigeon.calls


def test_a_process_that_ends_gives_the_answer_back(loft: Loft, running: Job, db: Session) -> None:
    delivery = deliver(loft, is_over=lambda: True)
    assert delivery.status is DeliveryStatus.WAITING
    answer(db, running, "Ferns.")
    loft.work(only_due=True)
    assert loft.pigeon.texts(CHAT) == ["Ferns."]


def test_a_preview_that_fails_does_no_harm(loft: Loft, running: Job) -> None:
    worker = Worker(running, "Ferns", " and moss", whole="Ferns and moss.")
    fail = once(Trouble.TOO_MANY_CALLS, retry_after_seconds=0.01)

    def _both(what: str) -> None:
        worker(what)
        fail(what)

    loft.pigeon.mischief = _both
    assert deliver(loft).status is DeliveryStatus.SENT
    (message,) = loft.pigeon.chats[CHAT]
    assert [part.text for part in message.versions] == ["Ferns and moss", "Ferns and moss."]


def test_a_preview_that_has_gone_is_sent_anew(loft: Loft, running: Job) -> None:
    worker = Worker(running, "Ferns", " and", " moss", whole="Ferns and moss.")

    def _forget(what: str) -> None:
        worker(what)
        if what == "edit":
            loft.pigeon.chats.clear()

    loft.pigeon.mischief = _forget
    assert deliver(loft).status is DeliveryStatus.SENT
    assert loft.pigeon.calls[1:] == ["send", "edit", "send", "edit", "send"]
    assert loft.pigeon.texts(CHAT) == ["Ferns and moss."]
