"""A conversation is shown by the messengers that go on in it, as it is on the website."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from actions import wakeups
from models.channels import accounts, deliveries
from models.database import after_commit
from models.schema.chat import Message
from models.schema.jobs import Job


def expect(db: Session, job: Job) -> None:
    """Let each messenger that shows the job's conversation show its answer as well.

    One in which the message was not written shows that before; with an answer that is asked for
    again, it stands there already.
    """
    showing = accounts.showing(db, job.conversation_id)
    if not showing:
        return
    came_by = db.scalar(select(Message.channel).where(Message.id == job.message_id))
    for account in showing:
        if came_by != account.channel:
            message = db.get_one(Message, job.message_id)
            deliveries.expect_question(db, account, message)
        deliveries.expect_answer(db, account, job)
    after_commit(db, wakeups.messengers)
