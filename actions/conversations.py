"""What a user deletes: a conversation as a whole, or one message of it."""

from uuid import UUID

from sqlalchemy.orm import Session

from actions import attachments, files, wakeups
from actions.announcements import Publisher, announce_cancelled
from actions.archives import ending
from gateways.live_events import ConversationDeleted, MessageDeleted
from models import ledger
from models.channels import accounts, deliveries
from models.chat import answer_files, conversations, erasures, message_deletion
from models.database import after_commit
from models.jobs.cancellation import cancel, cancel_all
from models.memory import notes
from models.schema.jobs import Job
from models.schema.users import User


def delete(db: Session, user: User, conversation_id: UUID, publisher: Publisher) -> None:
    """Delete a conversation with all that was said, sent and noted in it; answers under way stop.

    The caller commits. After that open pages hear of it, its files go from storage, and a worker
    makes the assistant forget it. Raises NotFound for another user's.
    """
    ledger.lock_account(db, user.id)
    conversation = conversations.find_own(db, user.id, conversation_id)
    cancelled = cancel_all(db, user.id, conversation_id)
    accounts.release_conversation(db, conversation_id)
    made = answer_files.of_conversation(db, conversation_id)
    paths = files.removable(db, user.id, made)
    notes.erase_of_conversation(db, user.id, conversation_id)
    ending.end(db, user.id, conversation.created_at)
    ledger.forget_details(db, Job.conversation_id == conversation_id)
    keys = conversations.erase(db, conversation)
    erasures.want(db, user.id, conversation_id, paths)
    for job in cancelled:
        announce_cancelled(db, job, publisher)

    def _tidy() -> None:
        # No job's event: whoever has the conversation open looks for it, and finds it gone.
        publisher.announce(conversation_id, conversation_id, ConversationDeleted())
        wakeups.forget(user.id)

    after_commit(db, _tidy)
    attachments.drop_after_commit(db, keys)


def delete_message(
    db: Session, user: User, conversation_id: UUID, message_id: UUID, publisher: Publisher
) -> None:
    """Delete a message that a user wrote, with its answer and files; one that waits is called off.

    The caller commits. After that open pages are drawn anew, its files go from storage, and a
    worker makes the assistant forget it. Raises NotFound for another user's, and BeingAnswered.
    """
    ledger.lock_account(db, user.id)
    message = message_deletion.find_own(db, user.id, conversation_id, message_id)
    for job in message_deletion.jobs_of(db, message):
        if not job.is_over:
            announce_cancelled(db, cancel(db, user.id, job.id), publisher)
    jobs = message_deletion.jobs_of(db, message)
    made = answer_files.of_jobs(db, [job.id for job in jobs])
    paths = files.removable(db, user.id, [one for of_job in made.values() for one in of_job])
    deliveries.cancel_message(db, message.id, [job.id for job in jobs])
    ending.end(db, user.id, message.created_at)
    keys = message_deletion.erase(db, message, jobs, paths)

    def _tidy() -> None:
        publisher.announce(conversation_id, message_id, MessageDeleted())
        wakeups.forget(user.id)

    after_commit(db, _tidy)
    attachments.drop_after_commit(db, keys)
