"""What came in from messengers: each update once, those of one account in order.

An update is written down first and handled then, by whoever has it: the request that brought it,
or the messaging process when files have to be fetched or something before it is still missing.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, ColumnElement, cast, func, null, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.database import clock
from models.schema.channels import ChannelUpdate, UpdateStatus

# Parts of a group come one by one, a moment apart.
GROUP_SETTLES = timedelta(seconds=1.5)
# The group of a text that goes on in the next message of its account.
CUT = "cut"
# In the details of an update whose words its message was written around: see `groups.note_place`.
OWN = "own"
# In the details of an update whose message had files or other parts, which are not kept.
MORE = "more"
# In the details of one that is asked about: the others of its message.
PARTS = "parts"
# So long nobody else takes what a request is about to handle, which may die of it.
HELD = timedelta(seconds=3)
KEPT = timedelta(days=30)


@dataclass(frozen=True)
class NewUpdate:
    """An update as it came in, with the account and message that it is about."""

    external_id: str
    number: int | None
    account_id: str
    message_id: str | None
    group_id: str | None
    payload: dict[str, Any]
    # Facts about it that nobody is told again: see `groups`.
    details: dict[str, Any] = field(default_factory=dict[str, Any])


def lock_account(db: Session, channel: str, account_id: str) -> None:
    """Let nobody else handle updates of this outside account until the transaction ends.

    Always before the lock of a user's account.
    """
    db.execute(select(func.pg_advisory_xact_lock(_lock_of(channel, account_id))))


def try_lock_account(db: Session, channel: str, account_id: str) -> bool:
    """Do so at once; False while somebody else handles an update of this account."""
    return bool(db.scalar(select(func.pg_try_advisory_xact_lock(_lock_of(channel, account_id)))))


def _lock_of(channel: str, account_id: str) -> ColumnElement[int]:
    return func.hashtextextended(f"{channel}:{account_id}", 0)


def receive(
    db: Session, channel: str, new: NewUpdate, *, is_held: bool = False
) -> ChannelUpdate | None:
    """Write an update down; None for one that came before.

    It waits to be handled; one that is held, for a while by whoever wrote it down.
    """
    now = func.clock_timestamp()
    settles = GROUP_SETTLES if new.group_id else timedelta(0)
    counted = cast(func.extract("epoch", now) * 1_000_000, BigInteger)
    return db.scalars(
        insert(ChannelUpdate)
        .values(
            id=new_id(),
            channel=channel,
            external_id=new.external_id,
            number=new.number,
            place=new.number if new.number is not None else counted,
            account_id=new.account_id,
            message_id=new.message_id,
            group_id=new.group_id,
            status=UpdateStatus.WAITING,
            payload=new.payload,
            details=new.details,
            ready_at=now + (HELD if is_held else settles),
            received_at=now,
        )
        .on_conflict_do_nothing(index_elements=[ChannelUpdate.channel, ChannelUpdate.external_id])
        .returning(ChannelUpdate)
    ).one_or_none()


def is_first(db: Session, new: ChannelUpdate) -> bool:
    """Tell whether nothing of the same account waits before this update."""
    before = select(ChannelUpdate.id).where(
        ChannelUpdate.channel == new.channel,
        ChannelUpdate.account_id == new.account_id,
        ChannelUpdate.status == UpdateStatus.WAITING,
        ChannelUpdate.place < new.place,
    )
    return db.scalar(before.limit(1)) is None


# From account to account through the index: behind the first of one many may wait.
_CLAIM = text("""
    WITH RECURSIVE waiting AS NOT MATERIALIZED (
        SELECT id, channel, account_id, place FROM channel_updates
        WHERE status = 'waiting' AND channel = ANY (:channels)
    ), heads AS (
        (SELECT * FROM waiting ORDER BY channel, account_id, place LIMIT 1)
        UNION ALL
        SELECT next.* FROM heads CROSS JOIN LATERAL (
            SELECT * FROM waiting AS w
            WHERE (w.channel, w.account_id) > (heads.channel, heads.account_id)
            ORDER BY channel, account_id, place LIMIT 1
        ) AS next
    ), due AS (
        SELECT this.id FROM heads JOIN channel_updates AS this ON this.id = heads.id
        WHERE this.status = 'waiting' AND this.ready_at <= clock_timestamp()
        ORDER BY this.ready_at LIMIT :most FOR UPDATE OF this SKIP LOCKED
    )
    UPDATE channel_updates SET attempts = attempts + 1, ready_at = clock_timestamp() + :lease
    FROM due WHERE channel_updates.id = due.id
    RETURNING channel_updates.id, channel_updates.attempts, channel_updates.channel
""")


@dataclass(frozen=True)
class ClaimedUpdate:
    """An update that a process has claimed; `attempt` proves that it is still theirs."""

    id: UUID
    attempt: int
    channel: str


def claim(
    db: Session, channels: Iterable[str], lease: timedelta, *, most: int
) -> list[ClaimedUpdate]:
    """Take the first waiting update of each account; for the length of `lease` it is nobody else's.

    At most `most` of them.
    """
    given = {"channels": list(channels), "lease": lease, "most": most}
    return [ClaimedUpdate(*row) for row in db.execute(_CLAIM, given)]


def has_waiting(db: Session) -> bool:
    """Tell whether anything that came in is still to be handled."""
    wanted = select(ChannelUpdate.id).where(ChannelUpdate.status == UpdateStatus.WAITING)
    return db.scalar(wanted.limit(1)) is not None


def find_claimed(db: Session, claimed: ClaimedUpdate) -> ChannelUpdate | None:
    """Return a claimed update; None if it is somebody else's by now, or has been handled."""
    return db.scalar(
        select(ChannelUpdate)
        .where(
            ChannelUpdate.id == claimed.id,
            ChannelUpdate.attempts == claimed.attempt,
            ChannelUpdate.status == UpdateStatus.WAITING,
        )
        .execution_options(populate_existing=True)
    )


def leave(new: ChannelUpdate) -> None:
    """Leave an update to whoever looks next, once a group has had time to become whole."""
    new.ready_at = new.received_at + (GROUP_SETTLES if new.group_id else timedelta(0))


def is_waiting(db: Session, new: ChannelUpdate) -> bool:
    """Tell, under the lock of its account, whether an update is still to be handled."""
    db.refresh(new)
    return new.status is UpdateStatus.WAITING


def put_off(claimed: ChannelUpdate, wait: timedelta) -> None:
    """Leave a claimed update to whoever looks after `wait`."""
    claimed.ready_at = utc_now() + wait


def note_failure(claimed: ChannelUpdate) -> int:
    """Note that a claimed update could not be handled; return how often by now."""
    failures = claimed.details.get("failures", 0) + 1
    claimed.details = {**claimed.details, "failures": failures}
    return failures


def close(
    db: Session, group: Iterable[ChannelUpdate], status: UpdateStatus, job_id: UUID | None = None
) -> None:
    """Note what became of updates; their words are dropped, but where the user is asked.

    Where they stand in their message is kept, in numbers, and whether it was more than words.
    """
    now, updates = clock(db), list(group)
    for one in updates:
        one.status, one.job_id = status, job_id
        one.handled_at = now
    if status is not UpdateStatus.ASKED:
        was_lost = status is not UpdateStatus.DONE and _is_more_than_words(updates)
        more = {MORE: True} if was_lost else {}
        for one in updates:
            one.payload, one.details = None, _marks(one) | more
    db.flush()


def _marks(handled: ChannelUpdate) -> dict[str, Any]:
    return {name: mark for name, mark in handled.details.items() if name in (OWN, MORE)}


def _is_more_than_words(group: Sequence[ChannelUpdate]) -> bool:
    """Tell whether a message has files, or came in several updates."""
    brought = [one.payload.get("inbound", {}) for one in group if one.payload is not None]
    return len(brought) > 1 or any(one.get("files") for one in brought)


def find_message(
    db: Session, channel: str, account_id: str, message_id: str
) -> ChannelUpdate | None:
    """Return the update by which a message came in; None if we know it no more."""
    return db.scalar(
        select(ChannelUpdate)
        .where(
            ChannelUpdate.channel == channel,
            ChannelUpdate.account_id == account_id,
            ChannelUpdate.message_id == message_id,
        )
        .order_by(ChannelUpdate.place)
        .limit(1)
    )


def note_asked(group: Sequence[ChannelUpdate], details: dict[str, Any]) -> None:
    """Note on the first update of a message what its user is asked, and which others it has."""
    first = group[0]
    first.details = {**_marks(first), **details, PARTS: [str(one.id) for one in group]}


def find_asked(
    db: Session, channel: str, account_id: str, update_id: UUID
) -> Sequence[ChannelUpdate]:
    """Return the updates of a message that this account's user is asked about, that one first.

    Nothing for any other.
    """
    mine = (
        ChannelUpdate.channel == channel,
        ChannelUpdate.account_id == account_id,
        ChannelUpdate.status == UpdateStatus.ASKED,
    )
    first = db.scalar(select(ChannelUpdate).where(ChannelUpdate.id == update_id, *mine))
    if first is None or "text" not in first.details:
        return ()
    others = [UUID(one) for one in first.details.get(PARTS, ()) if one != str(first.id)]
    wanted = select(ChannelUpdate).where(ChannelUpdate.id.in_(others), *mine)
    return (first, *db.scalars(wanted.order_by(ChannelUpdate.place)))


def forget_asked(db: Session, channel: str, account_id: str) -> None:
    """Close what this account's user was asked about, and drop its words.

    So nobody agrees to it who has the messenger account after them.
    """
    db.execute(
        update(ChannelUpdate)
        .where(
            ChannelUpdate.channel == channel,
            ChannelUpdate.account_id == account_id,
            ChannelUpdate.status == UpdateStatus.ASKED,
        )
        .values(status=UpdateStatus.REFUSED, payload=null(), details={}, handled_at=clock(db))
    )
