"""Faults by which what is spoken is charged wrongly, or heard by others."""

from tests.mutants.mutant import Mutant

VOICE = "tests/actions/test_voice.py::"
RECORDINGS = "tests/untrusted/test_recordings.py::"
TRANSCRIPTION = "tests/gateways/test_transcription.py::"

MUTANTS = (
    Mutant(
        "a recording is listened to though nothing is left of a day",
        "models/chat/transcriptions.py",
        "    if not user.is_frozen and bound.left_micros < held_micros:\n"
        "        raise bound.refusal\n",
        "",
        (f"{VOICE}test_what_bounds_a_message_bounds_what_is_spoken",),
    ),
    Mutant(
        "the same recording is listened to twice at once",
        "models/chat/transcriptions.py",
        "    if status is CallStatus.OPEN:\n        raise StillHearing\n",
        "",
        (f"{VOICE}test_while_it_is_listened_to_the_same_key_has_to_wait",),
    ),
    Mutant(
        "the words of a recording are anybody's who has its key",
        "models/chat/transcriptions.py",
        "        .where(Transcription.user_id == user_id, Transcription.key == key)\n"
        "        .execution_options",
        "        .where(Transcription.key == key)\n        .execution_options",
        (f"{VOICE}test_a_key_is_its_users_alone",),
    ),
    Mutant(
        "words are kept for ever",
        "models/chat/transcriptions.py",
        "old = Transcription.created_at < utc_now() - older_than",
        "old = Transcription.created_at < utc_now() - 2 * older_than",
        (f"{VOICE}test_words_are_forgotten_after_a_day_and_never_charged_again",),
    ),
    Mutant(
        "a recording in which nothing is heard is charged",
        "actions/voice.py",
        "is_unheard=not transcript.text)",
        "is_unheard=False)",
        (f"{VOICE}test_nothing_heard_is_at_our_expense_and_is_not_asked_again",),
    ),
    Mutant(
        "silence is at our expense without end",
        "models/ledger/calls.py",
        "    carried, room = cost.provider_cost_micros, room_today(db, user)\n",
        "    carried, room = 0, room_today(db, user)\n",
        (f"{VOICE}test_beyond_the_cap_of_a_day_nothing_heard_is_charged",),
    ),
    Mutant(
        "what was held for a provider that failed stays held",
        "actions/voice.py",
        "        _release(db, call_id, detail)\n",
        "",
        (f"{VOICE}test_a_failure_costs_nothing_and_the_same_key_may_try_again",),
    ),
    Mutant(
        "the connection is held while a provider listens",
        "actions/voice.py",
        "        db.rollback()\n        raise\n    db.commit()\n    return opened",
        "        db.rollback()\n        raise\n    return opened",
        (f"{VOICE}test_no_transaction_is_open_and_the_money_is_held_while_somebody_listens",),
    ),
    Mutant(
        "a call that died with its process holds money for ever",
        "models/ledger/lost_calls.py",
        "ModelCall.kind == CallKind.TRANSCRIPTION,",
        "ModelCall.kind == CallKind.ANSWER,",
        (f"{VOICE}test_a_call_whose_process_died_is_given_up_by_the_sweep",),
    ),
    Mutant(
        "recordings of any length are listened to",
        "actions/voice.py",
        "if measured.duration_ms > settings.voice_max_seconds * 1000 + SLACK_MS:",
        "if measured.duration_ms < 0:",
        (f"{VOICE}test_what_is_no_recording_or_too_much_is_refused_before_anything_is_held",),
    ),
    Mutant(
        "the demo listens for people whom a real model answers",
        "agent/transcribers.py",
        'if one.provider not in {provider, "demo"}',
        "if one.provider != provider",
        ("tests/agent/test_audio_prices.py::test_ones_own_provider_listens_first",),
    ),
    Mutant(
        "a server that has no price listens for nothing",
        "agent/audio_prices.py",
        "        if cost <= 0:\n            raise PriceUnknown(transcriber.id)\n",
        "",
        ("tests/agent/test_audio_prices.py::test_what_has_no_price_is_not_free",),
    ),
    Mutant(
        "a recording is as long as its pages say",
        "untrusted/inside/audio/ogg.py",
        "return max(self.played, told) if self.is_opus",
        "return told if self.is_opus",
        (f"{RECORDINGS}test_what_a_head_says_makes_nothing_shorter",),
    ),
    Mutant(
        "a provider may answer without end",
        "gateways/bounded_http.py",
        "            self._left_bytes -= len(chunk)\n",
        "",
        (f"{TRANSCRIPTION}test_an_answer_that_is_none_is_a_failure_that_may_pass",),
    ),
    Mutant(
        "words are forgotten a day after an attempt that heard nothing",
        "models/chat/transcriptions.py",
        "    kept.created_at = utc_now()\n",
        "",
        (f"{VOICE}test_words_are_kept_for_a_day_from_when_they_were_heard",),
    ),
)
