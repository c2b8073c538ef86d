"""Store codes with their details where sentences stood, and the language that a user chose."""

from collections.abc import Mapping

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "c0de5e4f7a21"
down_revision = "3d7f1a9c60e5"
branch_labels = None
depends_on = None

FAILURES = (
    *("no_credit", "frozen", "message_limit", "day_limit", "month_limit", "absorbed_limit"),
    *("too_many_calls", "too_costly", "beyond_hold", "time_limit", "stuck", "too_many_files"),
    *("provider_refused", "model_withdrawn", "model_unpriced", "conversation_too_large"),
    *("content_not_sent", "provider_down", "cell_died", "out_of_memory", "no_answer"),
    *("engine_unavailable", "busy", "still_busy", "disk_full", "state_unavailable"),
    *("state_damaged", "state_too_large", "state_not_saved", "storage_down"),
    *("books_unavailable", "lease_lost", "worker_lost", "unexpected", "stopped", "other"),
)
# All that a failure ever began with; what it had cost came behind. Others keep their code.
FAILURE_SENTENCES = {
    "Your credits are used up.": "no_credit",
    "Your credits were used up.": "no_credit",
    "Sending is closed on your account": "frozen",
    "This message has reached the most that it may cost.": "message_limit",
    "You have reached your limit for today.": "day_limit",
    "You have reached your monthly limit.": "month_limit",
    "Too much went wrong with your messages today": "absorbed_limit",
    "The assistant went round in circles": "too_many_calls",
    "This message reached the most that one message may cost": "too_costly",
    "The model's provider charged more for this than it may cost": "beyond_hold",
    "This took longer than a message may take": "time_limit",
    "Your assistant got stuck at this message": "stuck",
    "Your assistant made more files than it may keep": "too_many_files",
    "The model's provider refused this message.": "provider_refused",
    "The model that was chosen is not offered any more.": "model_withdrawn",
    "This model has no price": "model_unpriced",
    "This conversation has become too large for the model.": "conversation_too_large",
    "This message has something with it that models are not sent": "content_not_sent",
    "The model's provider did not answer.": "provider_down",
    "Your assistant was interrupted.": "cell_died",
    "This took more memory than an assistant may have.": "out_of_memory",
    "Your assistant gave no answer.": "no_answer",
    "The assistant engine is still being installed.": "engine_unavailable",
    "All assistants are busy just now.": "busy",
    "Your assistant is still busy with something else.": "still_busy",
    "There is no room for your assistant's files": "disk_full",
    "Your assistant's memory could not be reached": "state_unavailable",
    "Your assistant's memory is damaged": "state_damaged",
    "Your assistant's files have become too large to save": "state_too_large",
    "Your assistant's memory could not be saved.": "state_not_saved",
    "Your files could not be reached just now.": "storage_down",
    "Your credits could not be looked up just now.": "books_unavailable",
    "Something on our side stopped working": "worker_lost",
    "Something on our side went wrong.": "unexpected",
    "Stopped.": "stopped",
    "This message is being answered elsewhere.": "lease_lost",
}
FREEZES = ("audit", "dispute", "refund", "other")
FREEZE_SENTENCES = {
    "Something in your account does not add up": "audit",
    "The books of this account do not balance:": "audit",
    "Sending is closed for now: a bank took a payment back": "dispute",
    "Sending is closed for now: a payment was given back": "refund",
}
RULES = {
    "the balance is the sum of the entries": "balance_is_sum",
    "the granted part is the sum of the granted parts": "granted_is_sum",
    "what is held is what open calls hold": "held_by_open_calls",
    "a charge has its call": "charge_has_call",
    "a call has its charge, or was absorbed": "call_has_charge",
    "a refund gives back a whole charge": "refund_is_whole",
    "what is written off has its reason": "write_off_has_reason",
    "what is given back in a day stays within its cap": "within_daily_cap",
    "a charge stands or was given back": "charge_stands_or_returned",
    "what was paid is what was topped up": "paid_is_topped_up",
    "what went back of a payment is what its refunds took": "returned_is_refunded",
    "what was paid at Stripe is what was topped up": "stripe_payments",
    "what went back at Stripe is what was taken back": "stripe_refunds",
}
NOTES = (
    *("payment_disputed", "dispute_won", "payment_refunded", "refund_failed"),
    *("grant_expired", "call_cut", "call_lost", "other"),
)
NOTE_SENTENCES = {
    "The bank of whoever paid has taken the money back.": "payment_disputed",
    "The bank has given the money back after all.": "dispute_won",
    "Money of a payment was given back.": "payment_refunded",
    "The money that was to be given back did not arrive": "refund_failed",
    "Granted credits lapse after a while": "grant_expired",
    "The worker stopped before the call ended.": "call_lost",
}
# Entries say these by their reason since there is one.
REASON_SENTENCES = (
    "No answer came of it.",
    "The answer was begun again.",
    "The worker stopped; the answer was begun again.",
    "It begins again once there are credits.",
    "The provider counted more than what was held for the call.",
)
PAYMENT_FAILURES = {
    "Your bank wants you to confirm each payment.": "authentication_required",
    "Your card was declined.": "card_declined",
    "Your card has expired.": "expired_card",
    "There was not enough money on your card.": "insufficient_funds",
    "The payment did not go through.": "not_completed",
    "The payment page could not be opened.": "page_not_opened",
}
OFF_REASONS = ("bank_asks", "tried_too_often", "card_removed", "other")
TROUBLES = ("amount_differs", "contradicts_books", "other")
# Where a reason stands, and what it may be.
CODED = (
    ("jobs", "failure_code", "failurecode", FAILURES),
    ("users", "spending_frozen_reason", "freezereason", FREEZES),
    ("unfreezings", "frozen_reason", "freezereason", FREEZES),
    ("audit_findings", "rule", "auditrule", (*RULES.values(), "other")),
    ("transactions", "note", "entrynote", NOTES),
    ("payments", "failure", "paymentfailure", (*PAYMENT_FAILURES.values(), "other")),
    ("billing_accounts", "top_up_off_reason", "topupoffreason", OFF_REASONS),
    ("stripe_events", "trouble", "eventtrouble", TROUBLES),
)
DETAILS = (
    ("jobs", "failure_details"),
    ("users", "spending_frozen_details"),
    ("unfreezings", "frozen_details"),
    ("transactions", "note_details"),
    ("payments", "failure_details"),
    ("billing_accounts", "top_up_off_details"),
    ("stripe_events", "trouble_details"),
)


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '3s'")
    op.add_column("users", sa.Column("locale", sa.Text(), nullable=True))
    for table, column in DETAILS:
        jsonb = postgresql.JSONB(astext_type=sa.Text())
        op.add_column(table, sa.Column(column, jsonb, server_default="{}", nullable=False))
    _translate_failures()
    _translate("users", "spending_frozen_reason", "spending_frozen_details", FREEZE_SENTENCES)
    _translate("unfreezings", "frozen_reason", "frozen_details", FREEZE_SENTENCES)
    _translate_rules()
    _translate_notes()
    _translate_top_ups()
    _translate("payments", "failure", "failure_details", PAYMENT_FAILURES)
    _translate_troubles()
    op.execute(
        "UPDATE model_calls SET detail = NULL"
        " WHERE detail = 'The worker stopped before the call ended.'"
    )
    for table, column, name, codes in CODED:
        op.alter_column(table, column, type_=sa.String(32), existing_type=sa.Text())
        op.create_check_constraint(
            op.f(f"ck_{table}_{name}"), table, f"{column} IN ({_listed(codes)})"
        )
    op.drop_column("jobs", "failure")
    op.create_check_constraint(
        op.f("ck_jobs_failed_has_reason"),
        "jobs",
        "(status = 'failed') = (failure_code IS NOT NULL)",
    )


def downgrade() -> None:
    op.drop_constraint(op.f("ck_jobs_failed_has_reason"), "jobs")
    op.add_column("jobs", sa.Column("failure", sa.Text(), nullable=True))
    op.execute("UPDATE jobs SET failure = failure_code")
    op.create_check_constraint(
        op.f("ck_jobs_failed_has_reason"), "jobs", "(status = 'failed') = (failure IS NOT NULL)"
    )
    for table, column, name, _ in CODED:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
        op.alter_column(table, column, type_=sa.Text(), existing_type=sa.String(32))
    with_trigger("UPDATE transactions SET note = '' WHERE note IS NULL")
    op.alter_column("transactions", "note", nullable=False, server_default="")
    for table, column in DETAILS:
        op.drop_column(table, column)
    op.drop_column("users", "locale")


def with_trigger(statement: str) -> None:
    """Change entries all the same: what they say stays, and only how it is stored changes."""
    op.execute("ALTER TABLE transactions DISABLE TRIGGER transactions_append_only")
    op.execute(statement)
    op.execute("ALTER TABLE transactions ENABLE TRIGGER transactions_append_only")


def _listed(codes: tuple[str, ...]) -> str:
    return ", ".join(map(_quoted, codes))


def _quoted(words: str) -> str:
    # A colon would be taken for the name of a parameter.
    return "'" + words.replace("'", "''").replace(":", r"\:") + "'"


def _code_of(text: str, sentences: Mapping[str, str], otherwise: str) -> str:
    """Write the CASE that finds the code of a stored text by how it begins."""
    whens = (
        f"WHEN starts_with({text}, {_quoted(sentence)}) THEN '{code}'"
        for sentence, code in sentences.items()
    )
    return f"CASE {' '.join(whens)} ELSE {otherwise} END"


def _translate(table: str, column: str, details: str, sentences: Mapping[str, str]) -> None:
    """Put codes where sentences are; of one that nobody knows the text is kept."""
    code = _code_of(column, sentences, "'other'")
    op.execute(
        f"UPDATE {table} SET {column} = {code}, {details} = CASE WHEN {code} = 'other'"
        f" THEN jsonb_build_object('text', {column}) ELSE '{{}}' END WHERE {column} IS NOT NULL"
    )


def _translate_failures() -> None:
    is_known = f"failure_code IN ({_listed(FAILURES)})"
    otherwise = f"CASE WHEN {is_known} THEN failure_code ELSE 'other' END"
    code = _code_of("failure", FAILURE_SENTENCES, otherwise)
    op.execute(f"""
        UPDATE jobs SET failure_code = {code}, failure_details =
            CASE WHEN {code} = 'other' THEN jsonb_build_object('text', failure)
            ELSE jsonb_build_object(
                'charged_micros', (
                    SELECT -coalesce(sum(entry.amount_micros), 0)
                    FROM transactions AS entry WHERE entry.job_id = jobs.id),
                'has_part', EXISTS (
                    SELECT 1 FROM messages
                    WHERE messages.job_id = jobs.id AND messages.role = 'assistant'),
                'stands', EXISTS (
                    SELECT 1 FROM standing_charges AS stands WHERE stands.job_id = jobs.id)
            ) END
        WHERE status = 'failed'
    """)
    op.execute("UPDATE jobs SET failure_code = NULL WHERE status <> 'failed'")
    op.drop_constraint(op.f("ck_jobs_failed_has_reason"), "jobs")


def _translate_rules() -> None:
    """A rule that is no more is told beside what broke it."""
    code = _code_of("rule", RULES, "'other'")
    is_other = f"({code}) = 'other'"
    op.execute(
        f"UPDATE audit_findings SET rule = {code},"
        rf" subject = CASE WHEN {is_other} THEN subject || '\: ' || rule ELSE subject END"
    )


def _translate_notes() -> None:
    op.alter_column("transactions", "note", nullable=True, server_default=None)
    call = """(
        SELECT CASE call.status WHEN 'cut' THEN 'call_cut' WHEN 'lost' THEN 'call_lost' END
        FROM model_calls AS call
        WHERE call.id = transactions.call_id AND transactions.kind = 'charge'
            AND call.detail = transactions.note)"""
    code = _code_of("note", NOTE_SENTENCES, f"coalesce({call}, 'other')")
    with_trigger(f"""
        UPDATE transactions SET note = CASE
                WHEN note = '' OR reason IS NOT NULL AND note IN ({_listed(REASON_SENTENCES)})
                THEN NULL ELSE {code} END,
            note_details = CASE
                WHEN note <> '' AND {code} = 'other'
                    AND NOT (reason IS NOT NULL AND note IN ({_listed(REASON_SENTENCES)}))
                THEN jsonb_build_object('text', note) ELSE '{{}}' END
        WHERE note IS NOT NULL
    """)


def _translate_top_ups() -> None:
    text = "top_up_off_reason"
    failure = _code_of(text, PAYMENT_FAILURES, "'not_completed'")
    op.execute(f"""
        UPDATE billing_accounts SET
            {text} = CASE
                WHEN starts_with({text}, 'The saved card was removed') THEN 'card_removed'
                WHEN {text} LIKE '%That cannot be done while you are away.' THEN 'bank_asks'
                WHEN {text} ~ 'It was tried [0-9]+ times' THEN 'tried_too_often'
                ELSE 'other' END,
            top_up_off_details = CASE
                WHEN starts_with({text}, 'The saved card was removed')
                    OR {text} LIKE '%That cannot be done while you are away.' THEN '{{}}'
                WHEN {text} ~ 'It was tried [0-9]+ times' THEN jsonb_build_object(
                    'failure', {failure},
                    'tries', substring({text} FROM 'It was tried ([0-9]+) times')\\:\\:int)
                ELSE jsonb_build_object('text', {text}) END
        WHERE {text} IS NOT NULL
    """)


def _translate_troubles() -> None:
    op.execute(r"""
        UPDATE stripe_events SET
            trouble = CASE
                WHEN trouble ~ '^payment [0-9a-f-]{36}\: [0-9]+ [a-z]+$' THEN 'amount_differs'
                WHEN starts_with(trouble, 'it contradicts the books\: ') THEN 'contradicts_books'
                ELSE 'other' END,
            trouble_details = CASE
                WHEN trouble ~ '^payment [0-9a-f-]{36}\: [0-9]+ [a-z]+$' THEN jsonb_build_object(
                    'payment_id', substring(trouble FROM '[0-9a-f-]{36}'),
                    'bought_micros', substring(trouble FROM '\: ([0-9]+) ')\:\:bigint,
                    'currency', substring(trouble FROM '[a-z]+$'))
                WHEN starts_with(trouble, 'it contradicts the books\: ') THEN jsonb_build_object(
                    'constraint', substr(trouble, length('it contradicts the books\: ') + 1))
                ELSE jsonb_build_object('text', trouble) END
        WHERE trouble IS NOT NULL
    """)
