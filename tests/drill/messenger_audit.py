"""Audits what was written by a drill of the messengers, and what was answered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from models.schema.channels import ChannelUpdate, Delivery, DeliveryStatus
from models.schema.chat import Message, Role
from models.schema.jobs import Job, JobStatus
from tests.drill.phones import Body, Phones
from tests.house import House

TAKES_EFFECT = {"fail_after", "cut_after"}
# What the product answers by itself; no message, and no other answer of the drill says "/usage".
COMMAND, ITS_ANSWER = "/help", "/usage"


@dataclass
class Findings:
    """What must not be, and what may be and is counted."""

    bad: dict[str, list[str]] = field(
        default_factory=lambda: {
            name: []
            for name in (
                *("lost", "said twice", "out of order", "unanswered", "answered twice"),
                *("answers out of order", "not delivered", "updates not handled"),
            )
        }
    )
    doubled_by_messenger: int = 0
    outcomes: Counter[str] = field(default_factory=Counter[str])

    @property
    def is_clean(self) -> bool:
        return not any(self.bad.values())


@dataclass
class Written:
    """What somebody wrote from their phone, in order."""

    user_id: UUID
    phone_id: int
    number: int
    lines: list[str] = field(default_factory=list[str])

    @property
    def texts(self) -> list[str]:
        """What of it the assistant answers."""
        return [text for text in self.lines if text != COMMAND]


def mark(number: int, at: int) -> str:
    return f"answer-{number}-{at}-end"


def audit(house: House, phones: Phones, written: Written, found: Findings) -> None:
    """Compare what somebody wrote with what became of it, and with what their phone shows."""
    with house.database() as db:
        mine = sa.select(Message).where(Message.user_id == written.user_id).order_by(Message.id)
        said = [one.text for one in db.scalars(mine) if one.role is Role.USER]
        jobs = sa.select(Job.status).where(Job.user_id == written.user_id)
        found.outcomes.update(map(str, db.scalars(jobs)))
        status = sa.select(Delivery.status, sa.func.count()).group_by(Delivery.status)
        for name, count in db.execute(status.where(Delivery.user_id == written.user_id)):
            if name != "sent":
                found.bad["not delivered"] += [f"{written.number}: {name}"] * count
        waiting = sa.select(ChannelUpdate.external_id).where(
            ChannelUpdate.account_id == str(written.phone_id),
            ChannelUpdate.status.in_(("waiting", "failed")),
        )
        found.bad["updates not handled"] += [
            f"{written.number}: {one}" for one in db.scalars(waiting)
        ]
        failed = set(db.scalars(_told_of_a_failure(written.user_id)))
    found.outcomes["updates written"] += len(written.lines)
    found.outcomes["failed, and the user was told"] += len(failed)
    _audit_messages(written, said, found)
    journal = phones.journal(written.phone_id)
    _audit_answers(journal, written, failed, found)
    _audit_commands(journal, written, found)


def _told_of_a_failure(user_id: UUID) -> sa.Select[str]:
    """Select the messages that have no answer, but a sentence that was delivered."""
    return (
        sa.select(Message.text)
        .join(Job, Job.message_id == Message.id)
        .join(Delivery, Delivery.job_id == Job.id)
        .where(
            Job.user_id == user_id,
            Job.status == JobStatus.FAILED,
            Delivery.status == DeliveryStatus.SENT,
        )
    )


def _audit_messages(written: Written, said: Sequence[str], found: Findings) -> None:
    count = Counter(said)
    found.bad["lost"] += [f"{written.number}: {text}" for text in written.texts if not count[text]]
    found.bad["said twice"] += [
        f"{written.number}: {text}" for text in written.texts if count[text] > 1
    ]
    kept = [text for text in said if text in set(written.texts)]
    if kept != [text for text in written.texts if count[text]]:
        found.bad["out of order"].append(f"{written.number}: {kept}")


def _audit_answers(journal: Body, written: Written, failed: set[str], found: Findings) -> None:
    places: list[int] = []
    untold = _untold(journal)
    for at, text in enumerate(written.lines):
        if text == COMMAND:
            continue
        wanted = mark(written.number, at)
        having = _shown(journal, wanted)
        if not having:
            if text not in failed:
                found.bad["unanswered"].append(f"{written.number}: {wanted}")
            continue
        places.append(having[-1]["message_id"])
        hidden = sum(one["message_id"] in untold for one in having)
        excused = min(len(having) - 1, hidden)
        found.doubled_by_messenger += excused
        found.bad["answered twice"] += [f"{written.number}: {wanted}"] * (len(having) - 1 - excused)
    if places != sorted(places):
        found.bad["answers out of order"].append(f"{written.number}: {places}")


def _audit_commands(journal: Body, written: Written, found: Findings) -> None:
    wanted = written.lines.count(COMMAND)
    having = _shown(journal, ITS_ANSWER)
    found.bad["unanswered"] += [f"{written.number}: {COMMAND}"] * (wanted - len(having))
    untold = _untold(journal)
    more = max(0, len(having) - wanted)
    excused = min(more, sum(one["message_id"] in untold for one in having))
    found.doubled_by_messenger += excused
    found.bad["answered twice"] += [f"{written.number}: {COMMAND}"] * (more - excused)


def _shown(journal: Body, words: str) -> list[Body]:
    """Return the messages of ours that stand in a chat and have these words."""
    return [
        one
        for one in journal["messages"]
        if one["is_from_bot"] and not one["deleted_at"] and words in one["message"].get("text", "")
    ]


def _untold(journal: Body) -> set[int]:
    """Return the messages of ours that were taken, though their sender was told otherwise."""
    return {
        message_id
        for call in journal["calls"]
        if call["method"].lower() == "sendmessage" and call["fault"] in TAKES_EFFECT
        for message_id in call["message_ids"]
    }
