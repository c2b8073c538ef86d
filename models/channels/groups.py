"""Messages that come in parts and are one: albums, and long texts that a messenger's app cut up.

Parts come one by one, a moment apart, and each is an update of its own.
"""

from collections.abc import Sequence
from itertools import pairwise

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.channels.updates import CUT, GROUP_SETTLES, OWN
from models.database import clock
from models.schema.channels import ChannelUpdate, UpdateStatus

# When a text was written, in whole seconds: in the details of its update.
WRITTEN_AT = "written_at"
# An app sends the pieces of a text at once; nobody writes the next message so fast.
AT_ONCE = 1
# Far beyond what a message may have; what is longer is refused in one piece.
MOST_PARTS = 100


def group_of(db: Session, first: ChannelUpdate) -> list[ChannelUpdate]:
    """Return an update with those that wait and belong to the same message, in order."""
    if first.group_id is None:
        return [first]
    waiting = (
        select(ChannelUpdate)
        .where(
            ChannelUpdate.channel == first.channel,
            ChannelUpdate.account_id == first.account_id,
            ChannelUpdate.status == UpdateStatus.WAITING,
        )
        .order_by(ChannelUpdate.place)
    )
    if first.group_id != CUT:
        return list(db.scalars(waiting.where(ChannelUpdate.group_id == first.group_id)))
    after = waiting.where(ChannelUpdate.place >= first.place).limit(MOST_PARTS)
    return _while_cut(list(db.scalars(after)))


def _while_cut(waiting: Sequence[ChannelUpdate]) -> list[ChannelUpdate]:
    """Return the first with all that goes on from it."""
    parts = list(waiting[:1])
    for before, this in pairwise(waiting):
        if not _goes_on(before, this):
            break
        parts.append(this)
    return parts


def _goes_on(before: ChannelUpdate, this: ChannelUpdate) -> bool:
    """Tell whether a text may be the next piece of one that an app has cut."""
    began: int | None = before.details.get(WRITTEN_AT)
    went_on: int | None = this.details.get(WRITTEN_AT)
    if before.group_id != CUT or this.group_id not in {None, CUT}:
        return False
    return began is not None and went_on is not None and 0 <= went_on - began <= AT_ONCE


def has_settled(db: Session, group: Sequence[ChannelUpdate]) -> bool:
    """Tell whether a message is whole, or has had time to become so."""
    last = group[-1]
    if last.group_id is None:
        return True
    return max(one.received_at for one in group) + GROUP_SETTLES <= clock(db)


# How many characters of a message stand before, and how many after, what its user wrote.
Margins = tuple[int, int]


def note_place(group: Sequence[ChannelUpdate], place: Margins | None) -> None:
    """Note where a message has its user's words, if they came in one update of its group.

    None where they stand there changed.
    """
    spoken = group if len(group) == 1 else [one for one in group if _has_words(one)]
    is_whole = len(group) == 1 and place == (0, 0)
    if len(spoken) == 1 and not is_whole:
        spoken[0].details = {**spoken[0].details, OWN: place}


def find_place(db: Session, of: ChannelUpdate) -> Margins | None:
    """Return where the words of an update stand in its message; None if others stand among them."""
    if OWN not in of.details:
        return None if _is_part(db, of) else (0, 0)
    place = of.details[OWN]
    return None if place is None else (place[0], place[1])


def _has_words(one: ChannelUpdate) -> bool:
    return one.payload is not None and bool(one.payload["inbound"].get("text", "").strip())


def _is_part(db: Session, part: ChannelUpdate) -> bool:
    """Tell whether an update brought only a part of a message."""
    if part.job_id is None:
        return part.group_id is not None
    count = db.scalar(
        select(func.count()).where(
            ChannelUpdate.job_id == part.job_id,
            ChannelUpdate.account_id == part.account_id,
            ChannelUpdate.message_id.is_not(None),
        )
    )
    return (count or 0) > 1
