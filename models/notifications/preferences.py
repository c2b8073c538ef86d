"""Which ways a user chose for which topic."""

from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.schema.notifications import NotificationPreference, Topic

# The ways that are no channel; a channel is a way by its name.
EMAIL = "email"
PUSH = "push"

# A further topic needs a line here, and its words in `actions.sentences.notifications`.
USUAL: Mapping[Topic, frozenset[str]] = {
    Topic.ALERTS: frozenset({EMAIL}),
    # It reaches nobody who has not switched it on in a browser.
    Topic.LONG_WORK: frozenset({PUSH}),
}
# What concerns money is mailed when none of the chosen ways can be gone.
MAILED_AT_LAST = frozenset({Topic.ALERTS})


def ways(db: Session, user_id: UUID, topic: Topic) -> frozenset[str]:
    """Return the ways that a user is told of a topic by; none if they want to hear nothing."""
    chosen = db.scalar(
        select(NotificationPreference.ways).where(
            NotificationPreference.user_id == user_id, NotificationPreference.topic == topic
        )
    )
    return USUAL[topic] if chosen is None else frozenset(chosen)


def choose(db: Session, user_id: UUID, topic: Topic, chosen: Collection[str]) -> None:
    """Tell a user of a topic by these ways from now on, and by no others."""
    kept = sorted(chosen)
    db.execute(
        insert(NotificationPreference)
        .values(user_id=user_id, topic=topic, ways=kept)
        .on_conflict_do_update(
            index_elements=[NotificationPreference.user_id, NotificationPreference.topic],
            set_={"ways": kept},
        )
    )
