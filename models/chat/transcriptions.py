"""Recordings that were heard: each once for its key, and forgotten after a while."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from models import ledger
from models.base import new_id, utc_now
from models.errors import Refused
from models.ledger import limits
from models.schema.model_calls import CallStatus, ModelCall
from models.schema.transcriptions import Transcription
from models.schema.users import User


class StillHearing(Refused):
    """The same recording is being listened to already; ask again later under the same key."""

    code = "still_hearing"


class RecordingForgotten(Refused):
    """The same recording was heard before, so long ago that its words are not kept any more."""

    code = "recording_forgotten"


def find_heard(db: Session, user_id: UUID, key: UUID) -> Transcription | None:
    """Return what was heard under a user's key; None if nobody has listened yet, or in vain.

    Raises StillHearing or RecordingForgotten.
    """
    found = db.execute(
        select(Transcription, ModelCall.status)
        .join(ModelCall, ModelCall.id == Transcription.call_id)
        .where(Transcription.user_id == user_id, Transcription.key == key)
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        return None
    transcription, status = found
    if status is CallStatus.OPEN:
        raise StillHearing
    if status is not CallStatus.COMPLETED:
        return None
    if transcription.text is None:
        raise RecordingForgotten
    return transcription


def begin(
    db: Session, user: User, key: UUID, *, model: str, held_micros: int, duration_ms: int
) -> UUID:
    """Hold what listening to a recording may cost a locked account; return the id of the call.

    Only for a key under which nothing has been heard. Raises what bounds the user's spending:
    OutOfCredit, SpendingFrozen or LimitReached.
    """
    found = limits.bounds(db, user, None)
    bound = limits.tightest(found)
    if not user.is_frozen and bound.left_micros < held_micros:
        raise bound.refusal
    call_id = new_id()
    ledger.open_call(
        db, user, call_id=call_id, job_id=None, attempt=1, model=model, held=held_micros
    )
    kept = db.scalar(
        select(Transcription).where(Transcription.user_id == user.id, Transcription.key == key)
    )
    if kept is None:
        kept = Transcription(user_id=user.id, key=key)
        db.add(kept)
    kept.call_id, kept.duration_ms = call_id, duration_ms
    # Its words are kept for a day from the call that hears them, not from one that failed.
    kept.created_at = utc_now()
    db.flush()
    return call_id


def keep(db: Session, call_id: UUID, text: str) -> None:
    """Keep the words that a call has heard, for whoever asks again; none is worth keeping too."""
    heard = update(Transcription).where(Transcription.call_id == call_id)
    db.execute(heard.values(text=text))


def forget(db: Session, older_than: timedelta) -> int:
    """Forget the words of old recordings, which stand in messages by now; return how many."""
    old = Transcription.created_at < utc_now() - older_than
    words = update(Transcription).where(Transcription.text.is_not(None), old).values(text=None)
    return len(db.scalars(words.returning(Transcription.id)).all())
