"""Which ways a user chose for which topic."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.errors import Refused
from models.schema.notifications import NotificationPreference, Topic

# The ways that are no channel; a channel is a way by its name.
EMAIL = "email"
PUSH = "push"

# A further topic needs a line here, and its words in `actions.sentences.notifications`.
USUAL: Mapping[Topic, frozenset[str]] = {
    Topic.REMINDERS: frozenset({PUSH}),
    Topic.TASKS: frozenset({PUSH}),
    Topic.ALERTS: frozenset({EMAIL}),
    # It reaches nobody who has not switched it on in a browser.
    Topic.LONG_WORK: frozenset({PUSH}),
}
# What usually comes in every linked messenger too.
IN_MESSENGERS = frozenset({Topic.REMINDERS, Topic.TASKS})
# What has to reach its user by some way.
MANDATORY = frozenset({Topic.ALERTS})


class NoWayLeft(Refused):
    """News about money has to reach its user by at least one way."""

    code = "no_way_left"


@dataclass(frozen=True)
class Choice:
    """What a user chose for a topic; `chosen` is None as long as they have not."""

    topic: Topic
    chosen: frozenset[str] | None = None
    declined: frozenset[str] = frozenset()

    @property
    def is_none(self) -> bool:
        """Whether the user wants to hear nothing of it."""
        return self.chosen == frozenset() and self.topic not in MANDATORY

    def takes(self, way: str) -> bool:
        """Tell whether the user is told by this way, as far as it is there."""
        if self.chosen is not None and (not self.chosen or way in self.chosen):
            return way in self.chosen
        return way not in self.declined and self._is_usual(way)

    def _is_usual(self, way: str) -> bool:
        is_messenger = way not in (EMAIL, PUSH)
        return self.topic in IN_MESSENGERS if is_messenger else way in USUAL[self.topic]

    @property
    def is_mailed_at_last(self) -> bool:
        """Whether it is mailed when none of the ways has reached the user.

        An answer that took long waits in the chat: it is mailed for a messenger that was chosen and
        is gone, and not because push was never switched on.
        """
        if self.topic is Topic.LONG_WORK:
            return bool((self.chosen or frozenset()) - {PUSH})
        return not self.is_none


def find(db: Session, user_id: UUID, topic: Topic) -> Choice:
    """Return what a user chose for a topic, or that they have not."""
    return find_all(db, {user_id}).get((user_id, topic), Choice(topic))


def find_all(db: Session, user_ids: Collection[UUID]) -> dict[tuple[UUID, Topic], Choice]:
    """Return what users chose, by user and topic; no entry for what they have not."""
    rows = db.scalars(
        select(NotificationPreference)
        .where(NotificationPreference.user_id.in_(user_ids))
        .execution_options(populate_existing=True)
    )
    return {
        (row.user_id, row.topic): Choice(row.topic, frozenset(row.ways), frozenset(row.declined))
        for row in rows
    }


def choose(
    db: Session,
    user_id: UUID,
    topic: Topic,
    ways: Collection[str],
    offered: Collection[str] = (EMAIL, PUSH),
) -> None:
    """Tell a user of a topic by these ways from now on, and by no other that was offered.

    A chosen one that is not offered just now, such as a messenger that is not linked, stays; no way
    at all means that they want to hear nothing. Raises NoWayLeft where that cannot be.
    """
    if not ways and topic in MANDATORY:
        raise NoWayLeft
    before = find(db, user_id, topic)
    kept = (before.chosen or frozenset()).difference(offered) if ways else frozenset[str]()
    left_out = {*offered, *before.declined}.difference(ways)
    row = {"ways": sorted(kept.union(ways)), "declined": sorted(left_out)}
    db.execute(
        insert(NotificationPreference)
        .values(user_id=user_id, topic=topic, **row)
        .on_conflict_do_update(
            index_elements=[NotificationPreference.user_id, NotificationPreference.topic], set_=row
        )
    )
