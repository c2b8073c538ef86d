"""Taking back what was to be told of messages that are deleted: no word of them goes out, or stays.

What waits in `notifications` goes with its message; mails, pushes and what is said in messengers
stand in outboxes of their own. Answers in messengers are called off by whoever deletes.
"""

from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.orm import Session, aliased

from models.base import is_any_of
from models.channels import deliveries
from models.email import outbox
from models.notifications import subscriptions
from models.schema.chat import Message
from models.schema.notifications import Notification, Push, PushStatus

WITHDRAWN = "withdrawn"


def withdraw(db: Session, user_id: UUID, messages: ColumnElement[bool]) -> None:
    """Send nothing more of what was written to tell a user of these messages of theirs.

    A mail that tells of other messages too goes with them; those stand where they were said.
    """
    of_messages = select(Message.id).where(messages, Message.user_id == user_id)
    is_told = Notification.message_id.in_(of_messages)
    # A clock that hands one of them over just now comes first: what it has written goes too.
    told = select(Notification.reference).where(is_told).with_for_update()
    references = list(db.scalars(told))
    if not references:
        return
    # The first of what was collected names the mail, and was mailed when the others were over.
    first = aliased(Notification)
    collected = (
        select(first.id)
        .join(Notification, Notification.dispatched_at == first.mailed_at)
        .where(is_told, Notification.user_id == user_id, first.user_id == user_id)
    )
    outbox.withdraw(db, [*references, *map(outbox.collected_reference, db.scalars(collected))])
    deliveries.cancel_notices(db, user_id, references)
    mine = subscriptions.lock_all(db, user_id)
    db.execute(
        update(Push)
        .where(
            Push.subscription_id.in_(mine),
            is_any_of(Push.reference, references),
            Push.status == PushStatus.WAITING,
        )
        .values(
            status=PushStatus.FAILED,
            failure=WITHDRAWN,
            content=None,
            next_try_at=None,
            finished_at=func.clock_timestamp(),
        )
        .execution_options(synchronize_session=False)
    )
