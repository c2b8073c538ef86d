"""What changed of a conversation in PostgreSQL since one browser's stream looked last."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from models.base import utc_now
from models.chat import history
from models.database import unit_of_work
from models.schema.chat import Conversation
from models.schema.jobs import Job
from webapp.chat import views
from webapp.chat.views import Standing
from webapp.core.db_slots import turn

# Clocks of Redis, PostgreSQL and ours may differ; telling an end twice is harmless.
MARGIN = timedelta(seconds=60)


class Updates:
    """Each question waits for a slot of the database, and holds a connection while it is asked."""

    def __init__(self, conversation_id: UUID, since: datetime) -> None:
        self._conversation_id = conversation_id
        self._since = self._kept_until = since

    def jobs(self) -> dict[UUID, tuple[Job, Standing]]:
        """Return the jobs that moved since this was asked last, with how they stand."""
        now = utc_now()
        with turn(), unit_of_work() as own:
            moved = history.jobs_that_moved(own, self._conversation_id, self._since - MARGIN)
            found = {job.id: (job, views.standing(own, job)) for job in moved}
        self._since = now
        return found

    def said_unasked(self) -> Sequence[UUID]:
        """List what the product has said unasked since `jobs` were asked for last."""
        with turn(), unit_of_work() as own:
            return history.said_unasked_since(own, self._conversation_id, self._since - MARGIN)

    def has_forgotten(self) -> bool:
        """Tell whether a message was deleted since the browser had the page, or we last looked.

        There is no margin: each time the page is drawn anew, and it would be so again.
        """
        since, self._kept_until = self._kept_until, utc_now()
        with turn(), unit_of_work() as own:
            followed = own.get(Conversation, self._conversation_id)
            at = followed.forgotten_at if followed else None
        return at is not None and at >= since
