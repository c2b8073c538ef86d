"""Audits what was written by a drill of the messengers, and what was answered."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from models.schema.channels import ChannelUpdate, Delivery, DeliveryStatus
from models.schema.chat import Message, Role
from models.schema.jobs import Job, JobStatus
from tests.drill.phones import Body, Phones
from tests.house import House

TAKES_EFFECT = {"fail_after", "cut_after"}
# A part is written down as soon as its call returns; a busy machine takes its time.
KILLED_WITHIN_SECONDS = 3.0
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
    # The sender was killed after the messenger took it, and before it was written down.
    doubled_by_kills: int = 0
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


@dataclass(frozen=True)
class Excuses:
    """The messages of ours that may stand there once more than they should, and why."""

    hidden: set[int]
    cut_off: set[int]

    def count(self, having: Sequence[Body], more: int, found: Findings) -> int:
        """Count how many of `more` that stand there too often are excused; return the rest."""
        ids = [one["message_id"] for one in having]
        hidden = min(more, sum(one in self.hidden for one in ids))
        killed = min(more - hidden, sum(one in self.cut_off - self.hidden for one in ids))
        found.doubled_by_messenger += hidden
        found.doubled_by_kills += killed
        return more - hidden - killed


def mark(number: int, at: int) -> str:
    return f"answer-{number}-{at}-end"


def audit(
    house: House, phones: Phones, written: Written, kills: Sequence[float], found: Findings
) -> None:
    """Compare what somebody wrote with what became of it, and with what their phone shows.

    `kills` are the moments in which the messaging process was killed.
    """
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
        noted = _noted(db, written.user_id)
    found.outcomes["updates written"] += len(written.lines)
    found.outcomes["failed, and the user was told"] += len(failed)
    _audit_messages(written, said, found)
    journal = phones.journal(written.phone_id)
    excuses = Excuses(_untold(journal), cut_off(journal, noted, kills))
    _audit_answers(journal, written, failed, excuses, found)
    _audit_commands(journal, written, excuses, found)


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


def _audit_answers(
    journal: Body, written: Written, failed: set[str], excuses: Excuses, found: Findings
) -> None:
    places: list[int] = []
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
        more = excuses.count(having, len(having) - 1, found)
        found.bad["answered twice"] += [f"{written.number}: {wanted}"] * more
    if places != sorted(places):
        found.bad["answers out of order"].append(f"{written.number}: {places}")


def _audit_commands(journal: Body, written: Written, excuses: Excuses, found: Findings) -> None:
    wanted = written.lines.count(COMMAND)
    having = _shown(journal, ITS_ANSWER)
    found.bad["unanswered"] += [f"{written.number}: {COMMAND}"] * (wanted - len(having))
    more = excuses.count(having, max(0, len(having) - wanted), found)
    found.bad["answered twice"] += [f"{written.number}: {COMMAND}"] * more


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


def _noted(db: Session, user_id: UUID) -> set[int]:
    """Return the messages of ours that their sender has written down."""
    mine = sa.select(Delivery.sent_ids, Delivery.preview_id).where(Delivery.user_id == user_id)
    rows = db.execute(mine).all()
    return {int(one) for sent, preview in rows for one in (*sent, preview) if one is not None}


def cut_off(journal: Body, noted: set[int], kills: Sequence[float]) -> set[int]:
    """Return the messages of ours that nobody wrote down, as their sender was killed then."""
    return {
        one["message_id"]
        for one in journal["messages"]
        if one["is_from_bot"]
        and one["message_id"] not in noted
        and any(kill - KILLED_WITHIN_SECONDS < one["versions"][0]["at"] <= kill for kill in kills)
    }
