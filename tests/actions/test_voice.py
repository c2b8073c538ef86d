"""Speaking instead of typing: held before, charged after, once for a key, refused in words."""

from collections.abc import Callable, Generator
from datetime import timedelta
from io import BytesIO
from uuid import UUID

import pytest
import sqlalchemy as sa
import time_machine
from sqlalchemy.orm import Session

from actions import voice
from actions.attachments import IncomingFile
from actions.sentences.refusals import sentence_of
from models import ledger
from models.base import new_id, utc_now
from models.chat import transcriptions
from models.errors import Refused
from models.ledger import limits
from models.ops import retention
from models.people import verification
from models.schema.ledger import EntryKind, FreezeReason, Transaction, WriteOffReason
from models.schema.model_calls import CallKind, CallStatus, ModelCall
from models.schema.transcriptions import Transcription
from models.schema.users import User
from settings import get_settings
from tasks import upkeep
from tests import factories
from tests.recordings import ogg, wav, webm
from tests.transcriber import WORDS, Reply, Transcriber, gemini_heard, heard, served_transcriber

GRANT = 1_000_000
# Two seconds by the minute's price of OpenAI's, with our margin.
COST, PROVIDER_COST = 250, 150
TROUBLE = Reply({"error": {"message": "Down."}}, 503, headers=(("retry-after-ms", "1"),))


@pytest.fixture(scope="module")
def served() -> Generator[Transcriber]:
    with served_transcriber() as running:
        yield running


@pytest.fixture(autouse=True)
def provider(served: Transcriber, adjust: Callable[..., None]) -> Generator[Transcriber]:
    """OpenAI, which hears the usual words until a test says otherwise."""
    served.answers(heard(type="duration", seconds=2))
    served.asked.clear()
    adjust(**served.environment())
    yield served
    served.meanwhile = None


def hear(
    db: Session, user: User, data: bytes | None = None, key: UUID | None = None
) -> voice.Heard:
    recorded = IncomingFile("voice.ogg", BytesIO(ogg(100) if data is None else data))
    return voice.hear(db, user, recorded, key or new_id())


def entries(db: Session, user: User) -> list[Transaction]:
    return list(
        db.scalars(
            sa.select(Transaction)
            .where(Transaction.user_id == user.id, Transaction.kind != EntryKind.GRANT)
            .order_by(Transaction.id)
        )
    )


def calls(db: Session, user: User) -> list[ModelCall]:
    wanted = sa.select(ModelCall).where(ModelCall.user_id == user.id).order_by(ModelCall.id)
    return list(db.scalars(wanted.execution_options(populate_existing=True)))


def assert_balanced(db: Session, user: User, *, paid: int = 0) -> None:
    db.expire_all()
    assert not any(ledger.audit(db).values())
    assert user.credits_held_micros == 0
    assert user.credits_balance_micros == GRANT - paid


def test_a_recording_becomes_words_and_is_booked_as_a_call_of_its_own(
    db: Session, ada: User
) -> None:
    found = hear(db, ada)
    assert (found.text, found.seconds, found.cost_micros) == (WORDS, 2.0, COST)
    [call] = calls(db, ada)
    assert (call.kind, call.job_id, call.status) == (
        CallKind.TRANSCRIPTION,
        None,
        CallStatus.COMPLETED,
    )
    assert call.model == "openai/gpt-transcribe"
    [charge] = entries(db, ada)
    assert (charge.kind, charge.amount_micros, charge.call_id) == (
        EntryKind.CHARGE,
        -COST,
        call.id,
    )
    assert charge.provider_cost_micros == PROVIDER_COST
    assert (charge.provider, charge.job_id, charge.is_of_recording) == ("openai", None, True)
    assert_balanced(db, ada, paid=COST)


def test_no_transaction_is_open_and_the_money_is_held_while_somebody_listens(
    db: Session, ada: User, provider: Transcriber
) -> None:
    seen: list[tuple[int, bool]] = []

    def _look() -> None:
        held = sa.select(User.credits_held_micros).where(User.id == ada.id)
        is_open = db.in_transaction()
        seen.append((db.connection().scalar(held) or 0, is_open))

    provider.meanwhile = _look
    hear(db, ada)
    assert seen == [(COST, False)]


def test_the_same_recording_is_heard_and_charged_once(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    assert hear(db, ada, key=key) == hear(db, ada, key=key) == hear(db, ada, b"gone", key=key)
    assert len(provider.asked) == 1
    assert_balanced(db, ada, paid=COST)
    hear(db, ada)
    assert len(provider.asked) == 2
    assert_balanced(db, ada, paid=2 * COST)


def test_a_key_is_its_users_alone(db: Session, ada: User, eve: User, provider: Transcriber) -> None:
    key = new_id()
    hear(db, ada, key=key)
    provider.answers(heard("Something else.", type="duration", seconds=2))
    assert hear(db, eve, key=key).text == "Something else."
    assert hear(db, ada, key=key).text == WORDS
    assert_balanced(db, eve, paid=COST)


def test_while_it_is_listened_to_the_same_key_has_to_wait(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    refused: list[str] = []

    def _again() -> None:
        with pytest.raises(transcriptions.StillHearing) as waits:
            hear(db, ada, key=key)
        refused.append(sentence_of(waits.value))

    provider.meanwhile = _again
    hear(db, ada, key=key)
    assert refused == [
        "This recording is being turned into text already. Please try again in a moment."
    ]
    assert len(provider.asked) == 1


def test_a_failure_costs_nothing_and_the_same_key_may_try_again(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    provider.answers(TROUBLE)
    with pytest.raises(voice.TranscriberAway) as away:
        hear(db, ada, key=key)
    assert "or type it" in sentence_of(away.value)
    assert entries(db, ada) == []
    assert_balanced(db, ada)
    provider.answers(heard(type="duration", seconds=2))
    assert hear(db, ada, key=key).text == WORDS
    failed, done = calls(db, ada)
    assert (failed.status, done.status) == (CallStatus.FAILED, CallStatus.COMPLETED)
    assert failed.detail
    assert "Down." in failed.detail
    assert_balanced(db, ada, paid=COST)


def test_words_are_kept_for_a_day_from_when_they_were_heard(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    provider.answers(TROUBLE)
    with pytest.raises(voice.TranscriberAway):
        hear(db, ada, key=key)
    db.execute(sa.update(Transcription).values(created_at=utc_now() - timedelta(days=2)))
    provider.answers(heard(type="duration", seconds=2))
    assert hear(db, ada, key=key).text == WORDS
    assert transcriptions.forget(db, upkeep.WORDS_KEPT_FOR) == 0
    assert hear(db, ada, key=key).text == WORDS


def test_a_recording_that_the_provider_refuses_is_refused_for_good(
    db: Session, ada: User, provider: Transcriber
) -> None:
    provider.answers(Reply({"error": {"message": "Cannot decode."}}, 400))
    with pytest.raises(voice.RecordingRefused) as refused:
        hear(db, ada)
    assert "or type your message" in sentence_of(refused.value)
    assert_balanced(db, ada)


def test_whatever_breaks_meanwhile_what_was_held_is_free_again(
    db: Session, ada: User, provider: Transcriber, monkeypatch: pytest.MonkeyPatch
) -> None:
    def _break(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("gateways.openai_transcription.transcribe", _break)
    with pytest.raises(KeyboardInterrupt):
        hear(db, ada)
    assert [call.status for call in calls(db, ada)] == [CallStatus.FAILED]
    assert_balanced(db, ada)


def test_nothing_heard_is_at_our_expense_and_is_not_asked_again(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    provider.answers(heard(" \n", type="duration", seconds=2))
    for _ in range(2):
        with pytest.raises(voice.NothingHeard):
            hear(db, ada, key=key)
    assert len(provider.asked) == 1
    [entry] = entries(db, ada)
    assert (entry.kind, entry.reason, entry.carried_micros) == (
        EntryKind.ABSORBED,
        WriteOffReason.NOTHING_HEARD,
        PROVIDER_COST,
    )
    assert_balanced(db, ada)


def test_beyond_the_cap_of_a_day_nothing_heard_is_charged(
    db: Session, ada: User, provider: Transcriber, adjust: Callable[..., None]
) -> None:
    adjust(ABSORBED_DAILY_LIMIT_MICROS=str(PROVIDER_COST))
    provider.answers(heard("", type="duration", seconds=2))
    for _ in range(3):
        with pytest.raises(voice.NothingHeard):
            hear(db, ada)
    kinds = [entry.kind for entry in entries(db, ada)]
    assert kinds == [EntryKind.ABSORBED, EntryKind.CHARGE, EntryKind.CHARGE]
    assert_balanced(db, ada, paid=2 * COST)


def test_what_a_provider_counts_beyond_the_hold_is_ours(
    db: Session, ada: User, provider: Transcriber
) -> None:
    provider.answers(heard(type="duration", seconds=600))
    assert hear(db, ada).cost_micros == COST
    charge, rest = entries(db, ada)
    assert (charge.amount_micros, rest.reason) == (-COST, WriteOffReason.BEYOND_HOLD)
    assert_balanced(db, ada, paid=COST)


def test_where_a_provider_counts_nothing_our_own_measure_counts(
    db: Session, ada: User, provider: Transcriber
) -> None:
    provider.answers(heard())
    assert hear(db, ada).cost_micros == COST


def test_gemini_listens_to_whom_it_answers_and_is_paid_by_the_token(
    db: Session, ada: User, provider: Transcriber, adjust: Callable[..., None]
) -> None:
    adjust(GEMINI_API_KEY="key", GEMINI_BASE_URL=provider.url)
    ada.model = "gemini/gemini-3.8-flash"
    provider.answers(gemini_heard(audio=1_900, output=200))
    assert hear(db, ada).cost_micros == 1_834
    [charge] = entries(db, ada)
    assert (charge.model, charge.tokens_in, charge.tokens_out) == (
        "gemini/gemini-3.5-flash-lite",
        2_000,
        200,
    )
    assert not charge.is_estimated
    provider.answers(gemini_heard(audio=-1))
    with pytest.raises(voice.TranscriberAway):
        hear(db, ada)


def test_tokens_that_were_not_told_are_estimated(
    db: Session, ada: User, provider: Transcriber, adjust: Callable[..., None]
) -> None:
    adjust(OPENAI_TRANSCRIPTION_MODEL="gpt-4o-transcribe")
    provider.answers(heard())
    hear(db, ada)
    [charge] = entries(db, ada)
    assert charge.is_estimated
    assert charge.tokens_in
    assert_balanced(db, ada, paid=-charge.amount_micros)


REFUSED: list[tuple[bytes, type[Refused], str]] = [
    (b"", voice.NotARecording, "no recording"),
    (b"Hello?", voice.NotARecording, "no recording"),
    (wav(0), voice.NotARecording, "no recording"),
    (webm(kind=1), voice.NotARecording, "no recording"),
    (wav(63, rate=2_000), voice.RecordingTooLong, "longer than 1 minutes"),
    (bytes(300_000), voice.RecordingTooLarge, "larger than 0 MB"),
]


@pytest.mark.parametrize(("data", "refusal", "words"), REFUSED, ids=range(len(REFUSED)))
def test_what_is_no_recording_or_too_much_is_refused_before_anything_is_held(
    db: Session,
    ada: User,
    provider: Transcriber,
    adjust: Callable[..., None],
    data: bytes,
    refusal: type[Refused],
    words: str,
) -> None:
    adjust(VOICE_MAX_SECONDS="60", VOICE_MAX_BYTES="262144")
    with pytest.raises(refusal) as refused:
        hear(db, ada, data)
    assert words in sentence_of(refused.value)
    assert provider.asked == []
    assert calls(db, ada) == []


def test_a_recording_that_ends_by_itself_at_the_longest_length_is_heard(
    db: Session, ada: User, provider: Transcriber, adjust: Callable[..., None]
) -> None:
    adjust(VOICE_MAX_SECONDS="60")
    assert hear(db, ada, wav(60.4, rate=2_000)).text == WORDS
    assert len(provider.asked) == 1


def _spend_all(db: Session, ada: User) -> None:
    factories.charge(db, factories.running(db, ada), GRANT - COST + 1)


def _freeze(_: Session, ada: User) -> None:
    ledger.freeze(ada, FreezeReason.DISPUTE)


def _limit_day(db: Session, ada: User) -> None:
    limits.choose(db, ada.id, limits.Limits(day_micros=10_000))
    factories.charge(db, factories.running(db, ada), 10_000 - COST + 1)


def _limit_month(db: Session, ada: User) -> None:
    limits.choose(db, ada.id, limits.Limits(month_micros=10_000))
    factories.charge(db, factories.running(db, ada), 10_000 - COST + 1)


BOUNDS: list[tuple[Callable[[Session, User], None], type[Refused]]] = [
    (_spend_all, ledger.OutOfCredit),
    (_freeze, ledger.SpendingFrozen),
    (_limit_day, limits.DayLimitReached),
    (_limit_month, limits.MonthLimitReached),
]


@pytest.mark.parametrize(("bind", "refusal"), BOUNDS, ids=[one[1].code for one in BOUNDS])
def test_what_bounds_a_message_bounds_what_is_spoken(
    db: Session,
    ada: User,
    provider: Transcriber,
    bind: Callable[[Session, User], None],
    refusal: type[Refused],
) -> None:
    bind(db, ada)
    db.flush()
    with pytest.raises(refusal) as refused:
        hear(db, ada)
    assert sentence_of(refused.value)
    assert provider.asked == []
    db.expire_all()
    assert ada.credits_held_micros == 0
    assert [call.kind for call in calls(db, ada) if call.kind is CallKind.TRANSCRIPTION] == []


@pytest.mark.usefixtures("verifying")
def test_whoever_has_yet_to_verify_their_address_is_told_so(db: Session) -> None:
    newcomer = factories.user(db, "newcomer@example.org")
    with pytest.raises(verification.AddressNotVerified):
        hear(db, newcomer)


def test_just_enough_is_enough(db: Session, ada: User) -> None:
    factories.charge(db, factories.running(db, ada), GRANT - COST)
    assert hear(db, ada).cost_micros == COST
    db.expire_all()
    assert ada.credits_balance_micros == 0


def test_without_anybody_who_listens_it_is_not_offered(
    db: Session, ada: User, provider: Transcriber, adjust: Callable[..., None]
) -> None:
    adjust(OPENAI_TRANSCRIPTION_MODEL="off")
    ada.model = "openai/gpt-6.1-terra"
    assert not voice.is_offered("openai/gpt-6.1-terra")
    with pytest.raises(voice.VoiceNotOffered):
        hear(db, ada)
    assert voice.is_offered("demo/demo")


def test_a_server_of_ones_own_without_a_price_listens_to_nobody(
    adjust: Callable[..., None], provider: Transcriber
) -> None:
    own = {"OPENAI_TRANSCRIPTION_MODEL": "off", "TRANSCRIPTION_BASE_URL": provider.url}
    adjust(**own)
    assert not voice.is_offered("openai/gpt-6.1-terra")
    adjust(PRICE_OVERRIDES='{"compatible/whisper-1": {"minute": "0.001"}}')
    assert voice.is_offered("openai/gpt-6.1-terra")


def test_a_call_whose_process_died_is_given_up_by_the_sweep(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    owner = ledger.lock_account(db, ada.id)
    transcriptions.begin(
        db, owner, key, model="openai/gpt-transcribe", held_micros=COST, duration_ms=2_000
    )
    db.commit()
    with pytest.raises(transcriptions.StillHearing):
        hear(db, ada, key=key)
    upkeep.absorb_orphans(timedelta(0))
    assert [call.status for call in calls(db, ada)] == [CallStatus.OPEN]
    late = utc_now() + timedelta(seconds=get_settings().transcription_timeout_seconds + 1)
    with time_machine.travel(late, tick=False):
        upkeep.absorb_orphans(timedelta(0))
    assert [call.status for call in calls(db, ada)] == [CallStatus.LOST]
    assert_balanced(db, ada)
    assert hear(db, ada, key=key).text == WORDS


def test_words_are_forgotten_after_a_day_and_never_charged_again(
    db: Session, ada: User, provider: Transcriber
) -> None:
    key = new_id()
    hear(db, ada, key=key)
    assert transcriptions.forget(db, timedelta(days=1)) == 0
    with time_machine.travel(utc_now() + timedelta(days=1, seconds=1), tick=False):
        assert transcriptions.forget(db, upkeep.WORDS_KEPT_FOR) == 1
    assert db.scalars(sa.select(Transcription.text)).all() == [None]
    with pytest.raises(transcriptions.RecordingForgotten):
        hear(db, ada, key=key)
    assert len(provider.asked) == 1
    gone = retention.prune(db, utc_now() + timedelta(days=1), limit=9)
    assert gone["transcriptions"] == 1
    assert_balanced(db, ada, paid=COST)
