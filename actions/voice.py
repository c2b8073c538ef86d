"""A user speaks instead of writing: what the web's microphone does, and every other channel.

Whoever has a recording hands it in with a key of its own and is given its words. It is a call to a
model like those of an answer: held before, charged after, and the same key is charged once.
"""

from dataclasses import dataclass
from uuid import UUID

import structlog
from sqlalchemy.orm import Session

from actions import charges, offers
from actions.attachments import IncomingFile
from agent import audio_prices, transcribers
from agent.audio_prices import AudioPrices
from agent.catalogue import NoModel
from agent.prices import Price, PriceUnknown
from agent.transcribers import Transcriber
from gateways import transcription
from gateways.transcription import MOST_BYTES, Recording, Transcript, TranscriptionFailed
from models import jobs, ledger
from models.chat import transcriptions
from models.errors import Refused
from models.jobs.enqueue import MESSAGE_MAX_LENGTH
from models.ledger import CallCost
from models.ops import switches
from models.schema.model_calls import CallStatus
from models.schema.transcriptions import Transcription
from models.schema.users import User
from settings import get_settings
from untrusted import recordings
from untrusted.recordings import CannotMeasure, UnusableRecording

log = structlog.get_logger()

DETAIL_CHARS = 500
# A browser ends its recording by its own clock, and the last piece of sound comes after that.
SLACK_MS = 2_000


class VoiceNotOffered(Refused):
    """No provider that listens is set up for this user."""

    code = "voice_not_offered"


class NotARecording(Refused):
    """What was handed in is no recording, or a broken one."""

    code = "not_a_recording"


class RecordingTooLong(Refused):
    """A recording plays longer than anybody listens to one."""

    code = "recording_too_long"


class RecordingTooLarge(Refused):
    """A recording has more bytes than are taken."""

    code = "recording_too_large"


class NothingHeard(Refused):
    """There were no words in a recording."""

    code = "nothing_heard"


class TranscriberAway(Refused):
    """Nobody could listen just now: trying again later may help, under the same key."""

    code = "transcriber_away"


class RecordingRefused(Refused):
    """The provider takes no such recording, and will not."""

    code = "recording_refused"


@dataclass(frozen=True)
class Heard:
    """The words of a recording, how long it was, and what its user paid."""

    text: str
    seconds: float
    cost_micros: int


def is_offered(model_id: str) -> bool:
    """Tell whether somebody listens to users whom this model answers."""
    return _find(model_id) is not None


def minute_prices() -> list[tuple[str, int]]:
    """List who listens, and what a usual minute costs, in micros; the demo only if nobody else."""
    found = [one for one in transcribers.transcribers(get_settings()) if _is_priced(one)]
    real = [one for one in found if one.provider != "demo"]
    usual = audio_prices.USUAL_MINUTE
    return [(one.name, _prices().price(one, usual).charge_micros) for one in real or found]


def load() -> None:
    """Import what listening needs, so that the first user does not wait for it."""
    for one in transcribers.transcribers(get_settings()):
        transcription.load(one.provider)


def hear(
    db: Session, user: User, recorded: IncomingFile, key: UUID, *, language: str = ""
) -> Heard:
    """Have a recording written down, and charge the user for it: once for each `key` of theirs.

    `language` is an IETF tag of what they probably speak. The session is committed several times,
    as storage, helpers and providers are waited for; whatever is raised leaves it usable.

    Raises what bounds a user's spending, as for a message, and the refusals above. Of these
    TranscriberAway and `transcriptions.StillHearing` may pass by themselves.
    """
    transcriber = _find_for(user)
    if transcriber is None:
        raise VoiceNotOffered
    before = transcriptions.find_heard(db, user.id, key)
    if before is not None:
        return _heard(db, before)
    jobs.refuse_if_unable(db, user)
    # No connection is held while a helper or the network is waited for.
    db.commit()
    recording = _measure(user.id, recorded, transcriber)
    opened = _open(db, user.id, key, transcriber, recording)
    if isinstance(opened, Transcription):
        return _heard(db, opened)
    transcript = _listen(db, opened, transcriber, recording, language)
    return _settle(db, user.id, opened, transcriber, recording, transcript)


def _find_for(user: User) -> Transcriber | None:
    try:
        return _find(offers.current(user).id)
    except NoModel:
        return None


def _find(model_id: str) -> Transcriber | None:
    """Find who listens: what has no price listens to nobody."""
    choices = transcribers.choices(get_settings(), model_id.partition("/")[0])
    return next(filter(_is_priced, choices), None)


def _is_priced(transcriber: Transcriber) -> bool:
    try:
        return _prices().worst_case(transcriber, 1) > 0
    except PriceUnknown:
        return False


def _measure(user_id: UUID, recorded: IncomingFile, transcriber: Transcriber) -> Recording:
    settings = get_settings()
    limit = min(settings.voice_max_bytes, MOST_BYTES.get(transcriber.provider, 2**63))
    data = recorded.content.read(limit + 1)
    if len(data) > limit:
        raise RecordingTooLarge(most_mb=limit // 1024**2)
    try:
        measured = recordings.measure(data, owner=user_id)
    except UnusableRecording as bad:
        log.info("voice.refused", why=str(bad), size_bytes=len(data))
        raise NotARecording from bad
    except CannotMeasure as busy:
        raise TranscriberAway from busy
    if measured.duration_ms > settings.voice_max_seconds * 1000 + SLACK_MS:
        raise RecordingTooLong(most_minutes=settings.voice_max_seconds // 60)
    return Recording(data, measured.media_type, measured.suffix, measured.duration_ms / 1000)


def _open(
    db: Session, user_id: UUID, key: UUID, transcriber: Transcriber, recording: Recording
) -> UUID | Transcription:
    """Hold what it may cost; or return what somebody else has made of this key meanwhile."""
    held = _prices().worst_case(transcriber, recording.seconds)
    try:
        user = ledger.lock_account(db, user_id)
        opened = transcriptions.find_heard(db, user_id, key) or transcriptions.begin(
            db,
            user,
            key,
            model=transcriber.id,
            held_micros=held,
            duration_ms=round(recording.seconds * 1000),
        )
    except Refused:
        db.rollback()
        raise
    db.commit()
    return opened


def _listen(
    db: Session, call_id: UUID, transcriber: Transcriber, recording: Recording, language: str
) -> Transcript:
    """Wait for the provider; when nothing comes of it, what was held is free again."""
    try:
        return transcription.transcribe(
            get_settings(),
            transcriber.provider,
            transcriber.name,
            recording,
            language=language,
            most_chars=MESSAGE_MAX_LENGTH,
        )
    except TranscriptionFailed as failure:
        detail = str(failure)[:DETAIL_CHARS]
        log.warning(
            "transcription.failed",
            call_id=str(call_id),
            model=transcriber.id,
            status=failure.status,
            error=detail,
        )
        _release(db, call_id, detail)
        raise (RecordingRefused if failure.is_permanent else TranscriberAway) from failure
    except BaseException:
        _release(db, call_id, None)
        raise


def _release(db: Session, call_id: UUID, detail: str | None) -> None:
    nothing = CallCost(0, 0, 0, 0, 0, 0, "", is_estimated=False)
    ledger.close_call(db, call_id=call_id, status=CallStatus.FAILED, cost=nothing, detail=detail)
    db.commit()


def _settle(
    db: Session,
    user_id: UUID,
    call_id: UUID,
    transcriber: Transcriber,
    recording: Recording,
    transcript: Transcript,
) -> Heard:
    """Charge for what was heard, and keep it for whoever asks again under the same key."""
    charged = ledger.close_call(
        db,
        call_id=call_id,
        status=CallStatus.COMPLETED,
        cost=_cost(transcriber, recording, transcript),
        provider_request_id=transcript.request_id,
    )
    transcriptions.keep(db, call_id, transcript.text)
    charges.follow_up(db, user_id, charged)
    db.commit()
    if not transcript.text:
        raise NothingHeard
    return Heard(transcript.text, recording.seconds, charged)


def _cost(transcriber: Transcriber, recording: Recording, transcript: Transcript) -> CallCost:
    usage = audio_prices.completed(transcript.usage, recording.seconds)
    is_estimated = False
    try:
        price = _prices().price(transcriber, usage)
    except PriceUnknown:
        # It is asked for by the token, and the provider has not said how many there were.
        usage, is_estimated = audio_prices.most_usage(recording.seconds), True
        price = _prices().price(transcriber, usage)
    return _call_cost(usage, price, is_estimated=is_estimated, is_unheard=not transcript.text)


def _call_cost(
    usage: transcription.AudioUsage, price: Price, *, is_estimated: bool, is_unheard: bool
) -> CallCost:
    return CallCost(
        tokens_in=usage.input_tokens,
        tokens_out=usage.output_tokens,
        tokens_cache_read=0,
        tokens_cache_write=0,
        provider_cost_micros=price.provider_cost_micros,
        charge_micros=price.charge_micros,
        price_version=price.version,
        is_estimated=is_estimated,
        is_unheard=is_unheard,
    )


def _heard(db: Session, before: Transcription) -> Heard:
    """Say again what was heard before."""
    if not before.text:
        raise NothingHeard
    charged = ledger.charged_by_call(db, before.call_id)
    return Heard(before.text, before.duration_ms / 1000, charged)


def _prices() -> AudioPrices:
    return AudioPrices(get_settings(), lambda: switches.last_read().margin_percent)
