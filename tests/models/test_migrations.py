"""The migrations build what the models say, and can be taken back."""

import os
import subprocess
from collections.abc import Generator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import NullPool

import serve
from models.schema.metadata import metadata
from settings import PROJECT_DIR, Settings


@contextmanager
def _database(settings: Settings, suffix: str) -> Generator[sa.Engine]:
    """An empty database of a test's own."""
    url = sa.make_url(settings.database_url.get_secret_value())
    admin = sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool)
    name = f"{url.database}_{suffix}"
    with admin.connect() as connection:
        connection.execute(sa.text(f"DROP DATABASE IF EXISTS {name}"))
        connection.execute(sa.text(f"CREATE DATABASE {name}"))
    try:
        yield sa.create_engine(url.set(database=name), poolclass=NullPool)
    finally:
        with admin.connect() as connection:
            connection.execute(sa.text(f"DROP DATABASE {name} WITH (FORCE)"))


def test_the_migrated_database_is_what_the_models_say(engine: sa.Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_down_and_up_again_leaves_nothing_behind(settings: Settings) -> None:
    with _database(settings, "updown") as fresh:
        for target in ("head", "base", "head"):
            with fresh.begin() as connection:
                migrations = Config(PROJECT_DIR / "alembic.ini")
                migrations.attributes["connection"] = connection
                move = command.downgrade if target == "base" else command.upgrade
                move(migrations, target)
            tables = set(sa.inspect(fresh).get_table_names())
            assert tables - {"alembic_version"} == (
                set() if target == "base" else set(metadata.tables)
            )


def test_two_that_migrate_at_once_do_not_meet(settings: Settings) -> None:
    """As the tasks of a release do; whoever comes second finds it done."""
    with _database(settings, "atonce") as fresh:
        url = fresh.url.render_as_string(hide_password=False)
        given = {**os.environ, "DATABASE_URL": url}  # noqa: TID251  # for a process of its own
        both = [
            subprocess.Popen(
                serve.migrate(), cwd=PROJECT_DIR, env=given, stderr=subprocess.PIPE, text=True
            )
            for _ in range(2)
        ]
        said = [process.communicate()[1] for process in both]

        assert [process.returncode for process in both] == [0, 0], said
        assert set(metadata.tables) <= set(sa.inspect(fresh).get_table_names())


def test_the_code_of_before_starts_with_the_database_of_a_newer_release(
    settings: Settings,
) -> None:
    """As in a rollback; whoever names a revision is still told that there is no such one."""
    with _database(settings, "rollback") as fresh:
        assert _run(fresh, "head").returncode == 0
        with fresh.begin() as connection:
            connection.execute(sa.text("UPDATE alembic_version SET version_num = 'ffffffffffff'"))
        done = _run(fresh, "head")
        assert (done.returncode, "migrations.newer" in done.stdout) == (0, True), done.stderr
        with fresh.connect() as connection:
            kept = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            assert kept == "ffffffffffff"
        assert _run(fresh, "d407a9c3e51f").returncode != 0


def test_an_index_that_was_broken_off_is_made_by_the_next_try(settings: Settings) -> None:
    with _database(settings, "brokenoff") as fresh:
        before, name = "d407a9c3e51f", "ix_payments_pending"
        assert _run(fresh, before).returncode == 0
        with fresh.begin() as connection:
            # What is left of one that ran into its time limit.
            connection.execute(sa.text(f"CREATE INDEX {name} ON payments (kind)"))
            connection.execute(sa.text(_NOT_VALID), {"name": name})
        assert _run(fresh, "head").returncode == 0
        with fresh.connect() as connection:
            made = connection.execute(sa.text(_INDEX), {"name": name}).one()
            assert made.indisvalid
            assert "(created_at)" in made.said


def test_what_people_had_before_payments_was_all_granted(settings: Settings) -> None:
    with _database(settings, "granted") as fresh:
        _upgrade(fresh, "0425643a4c5f")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_PAYMENTS))
        _upgrade(fresh, "7d1f0c3a9b52")
        with fresh.connect() as connection:
            kept = connection.execute(sa.text("SELECT credits_promotional_micros FROM users"))
            assert kept.scalar_one() == 7
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET promotional_micros = 0"))


def test_what_was_written_off_before_has_its_reason(settings: Settings) -> None:
    with _database(settings, "reasons") as fresh:
        _upgrade(fresh, "c41f7be2905d")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_REASONS))
        _upgrade(fresh, "5b8e02d47a16")
        with fresh.connect() as connection:
            kept = connection.execute(
                sa.text("SELECT reference, reason, carried_micros FROM transactions")
            )
            assert {row[0]: (row[1], row[2]) for row in kept} == {
                "call:1": (None, 0),
                "call:2": ("late_call", 4),
                "refund:1": ("worker_lost", 3),
                "refund:2": ("job_failed", 4),
                "absorbed:call:1": ("beyond_hold", 2),
                "absorbed:dispute:1": ("credits_gone", 8),
                "undone:absorbed:dispute:1": ("credits_back", -8),
            }
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET reason = 'by_hand'"))


def test_entries_before_relations_had_columns_have_them(settings: Settings) -> None:
    with _database(settings, "relations") as fresh:
        _upgrade(fresh, "e2a7c15f9b48")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_RELATIONS))
        _upgrade(fresh, "f6c93a0b7d24")
        with fresh.connect() as connection:
            kept = connection.execute(sa.text(_RELATIONS))
            assert {row[0]: (row[1], row[2]) for row in kept} == {
                "gift": (None, None),
                "spent:1": (None, None),
                f"call:{_CALL}": (_CALL, None),
                f"absorbed:call:{_CALL}": (_CALL, None),
                f"refund:{_CALL}": (_CALL, f"call:{_CALL}"),
                f"refund:{_CALL[::-1]}": (None, None),
                "dispute:1": (None, None),
                "undone:dispute:1": (None, "dispute:1"),
            }
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET call_id = NULL"))


def test_every_call_of_before_is_of_an_answer_and_transcriptions_stay(settings: Settings) -> None:
    with _database(settings, "kinds") as fresh:
        _upgrade(fresh, "e2a7c15f9b48")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_RELATIONS))
        _upgrade(fresh, "7a3e9d10c5b6")
        without_job = "UPDATE model_calls SET job_id = NULL"
        with fresh.connect() as connection:
            kinds = connection.execute(sa.text("SELECT kind FROM model_calls"))
            assert kinds.scalars().all() == ["answer"]
            with pytest.raises(DatabaseError, match="answer_has_job"):
                connection.execute(sa.text(without_job))
        with fresh.begin() as connection:
            connection.execute(sa.text(f"{without_job}, kind = 'transcription'"))
        with pytest.raises(DatabaseError, match="their calls have no job"), fresh.begin() as again:
            migrations = Config(PROJECT_DIR / "alembic.ini")
            migrations.attributes["connection"] = again
            command.downgrade(migrations, "c0de5e4f7a21")


_CALL = "0197c0de-0000-7000-8000-00000000000a"
_RELATIONS = """
    SELECT entry.reference, entry.call_id::text, reversed.reference FROM transactions AS entry
    LEFT JOIN transactions AS reversed ON reversed.id = entry.reverses_id
"""
_BEFORE_RELATIONS = f"""
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash)
        VALUES (gen_random_uuid(), 'ada@example.org', '') RETURNING id
    ), talk AS (
        INSERT INTO conversations (id, user_id, title)
        SELECT gen_random_uuid(), id, 'A talk' FROM somebody RETURNING id, user_id
    ), job AS (
        INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head, finished_at)
        SELECT gen_random_uuid(), user_id, id, 'demo/demo', 'completed', false, now() FROM talk
        RETURNING id, user_id
    ), call AS (
        INSERT INTO model_calls
            (id, user_id, job_id, attempt, model, status, held_micros, closed_at)
        SELECT '{_CALL}', user_id, id, 1, 'demo/demo', 'completed', 5, now() FROM job
        RETURNING user_id
    )
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference, reason)
    SELECT gen_random_uuid(), user_id, kind, amount, reference, reason FROM call
    CROSS JOIN (VALUES
        ('grant', 5, 'gift', NULL),
        ('adjustment', -5, 'spent:1', NULL),
        ('charge', -5, 'call:{_CALL}', NULL),
        ('absorbed', 0, 'absorbed:call:{_CALL}', 'beyond_hold'),
        ('refund', 5, 'refund:{_CALL}', 'job_failed'),
        ('refund', 5, 'refund:{_CALL[::-1]}', 'job_failed'),
        ('chargeback', -5, 'dispute:1', NULL),
        ('adjustment', 5, 'undone:dispute:1', NULL)
    ) AS entry (kind, amount, reference, reason)
"""


SAID = {
    "no_credit": "Your credits are used up. You were charged $0.02 for the part above.",
    "provider_refused": "The model that was chosen is not offered any more. You were not charged.",
    "worker_lost": "Something on our side stopped working, several times. You were not charged.",
    "busy": "Something that nobody says any more.",
    "gremlins": "A gremlin ate it.",
    "stopped": "This message is being answered elsewhere. You were not charged.",
}


NOTHING = {"charged_micros": 0, "has_part": False, "stands": False}
_FREEZES = "SELECT spending_frozen_reason, spending_frozen_details FROM users"
_OFF = "SELECT top_up_off_reason, top_up_off_details FROM billing_accounts"
# What each statement finds afterwards.
CODES: list[tuple[str, list[tuple[object, ...]]]] = [
    (
        "SELECT failure_code, failure_details FROM jobs ORDER BY id",
        [
            ("no_credit", {"charged_micros": 20_000, "has_part": True, "stands": True}),
            ("model_withdrawn", NOTHING),
            ("worker_lost", NOTHING),
            ("busy", NOTHING),
            ("other", {"text": "A gremlin ate it."}),
            ("lease_lost", NOTHING),
        ],
    ),
    (
        f"{_FREEZES} WHERE spending_frozen_at IS NOT NULL ORDER BY email",
        [
            ("audit", {}),
            ("audit", {}),
            ("dispute", {}),
            ("refund", {}),
            ("other", {"text": "By hand."}),
        ],
    ),
    ("SELECT frozen_reason, frozen_details FROM unfreezings", [("dispute", {})]),
    (
        "SELECT rule, subject FROM audit_findings ORDER BY off_by_micros",
        [
            ("balance_is_sum", "user:1"),
            ("stripe_refunds", "refund:1"),
            ("other", "call:1: a charge is no more than was held"),
        ],
    ),
    (
        "SELECT note, note_details FROM transactions ORDER BY reference",
        [
            (None, {}),
            ("grant_expired", {}),
            ("dispute_won", {}),
            ("payment_refunded", {}),
            (None, {}),
            ("other", {"text": "Our own test."}),
            ("call_cut", {}),
        ],
    ),
    (
        "SELECT failure, failure_details FROM payments ORDER BY id",
        [
            ("card_declined", {}),
            ("not_completed", {}),
            ("page_not_opened", {}),
            ("other", {"text": "Odd."}),
        ],
    ),
    (
        f"{_OFF} JOIN users ON users.id = user_id ORDER BY email",
        [
            ("bank_asks", {}),
            ("tried_too_often", {"failure": "expired_card", "tries": 3}),
            ("card_removed", {}),
            ("other", {"text": "Odd."}),
        ],
    ),
    (
        "SELECT trouble, trouble_details FROM stripe_events ORDER BY id",
        [
            (
                "amount_differs",
                {
                    "payment_id": "0199a0b0-0000-7000-8000-000000000000",
                    "bought_micros": 5,
                    "currency": "eur",
                },
            ),
            ("contradicts_books", {"constraint": "ck_payments_amount_positive"}),
            ("other", {"text": "Odd."}),
            (None, {}),
        ],
    ),
    (
        "SELECT status, detail FROM model_calls ORDER BY status",
        [
            ("cut", "HTTP 529"),
            ("lost", None),
        ],
    ),
]


def test_every_sentence_of_before_becomes_a_code(settings: Settings) -> None:
    with _database(settings, "codes") as fresh:
        _upgrade(fresh, "e2a7c15f9b48")
        with fresh.begin() as connection:
            for name, said in SAID.items():
                # The order of their ids is that of this table.
                connection.exec_driver_sql(_BEFORE_CODES_JOB, {"code": name, "said": said})
            for statement in _BEFORE_CODES.split(";\n"):
                connection.exec_driver_sql(statement)
        _upgrade(fresh, "c0de5e4f7a21")
        with fresh.connect() as connection:
            for statement, found in CODES:
                assert [tuple(row) for row in connection.execute(sa.text(statement))] == found
            with pytest.raises(DatabaseError, match="never changed"):
                connection.execute(sa.text("UPDATE transactions SET note = 'other'"))


def test_the_ways_that_were_chosen_before_stay(settings: Settings) -> None:
    with _database(settings, "ways") as fresh:
        _upgrade(fresh, "e93a5d07c1b8")
        with fresh.begin() as connection:
            connection.execute(sa.text(_BEFORE_WAYS))
        _upgrade(fresh, "f2b7c94e1a08")
        with fresh.connect() as connection:
            kept = connection.execute(
                sa.text("SELECT topic, ways, declined FROM notification_preferences ORDER BY 2, 1")
            )
            assert [tuple(row) for row in kept] == [
                ("long_work", [], ["push"]),
                # Nothing at all is no choice any more.
                ("alerts", ["email"], []),
                ("alerts", ["telegram"], ["email"]),
                ("long_work", ["email", "push"], []),
            ]


_BEFORE_WAYS = """
    WITH people AS (
        INSERT INTO users (id, email, password_hash)
        SELECT gen_random_uuid(), name || '@example.org', ''
        FROM (VALUES ('ada'), ('eve')) AS somebody (name)
        RETURNING id, email
    )
    INSERT INTO notification_preferences (user_id, topic, ways)
    SELECT id, topic, ways::jsonb FROM people JOIN (VALUES
        ('ada', 'alerts', '[]'), ('ada', 'long_work', '["email", "push"]'),
        ('eve', 'alerts', '["telegram"]'), ('eve', 'long_work', '[]')
    ) AS choice (name, topic, ways) ON email = name || '@example.org'
"""


_BEFORE_CODES_JOB = """
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash)
        VALUES (gen_random_uuid(), %(code)s::text || '@example.net', '') RETURNING id
    ), talk AS (
        INSERT INTO conversations (id, user_id, title)
        SELECT gen_random_uuid(), id, '' FROM somebody RETURNING id, user_id
    ), failed AS (
        INSERT INTO jobs (id, user_id, conversation_id, model, status, is_head, finished_at,
                          failure, failure_code)
        SELECT lpad((SELECT count(*) FROM jobs)::text, 32, '0')::uuid,
               user_id, id, 'demo/demo', 'failed', false, now(), %(said)s::text, %(code)s::text
        FROM talk RETURNING id, user_id, conversation_id
    ), told AS (
        INSERT INTO messages (id, conversation_id, user_id, job_id, role, text)
        SELECT gen_random_uuid(), conversation_id, user_id, id, 'assistant', 'A part'
        FROM failed WHERE %(code)s::text = 'no_credit'
    )
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference, job_id)
    SELECT gen_random_uuid(), user_id, 'charge', -20000, '0', id
    FROM failed WHERE %(code)s::text = 'no_credit'
"""
_BEFORE_CODES = """
    INSERT INTO users (id, email, password_hash, spending_frozen_at, spending_frozen_reason)
    SELECT gen_random_uuid(), name || '@example.org', '', now(), reason FROM (VALUES
        ('a', 'The books of this account do not balance: a charge has its call.'),
        ('b', 'Something in your account does not add up, so nothing can be spent until we have'
            || ' looked.'),
        ('c', 'Sending is closed for now: a bank took a payment back after its credits had been'
            || ' used. You can read and download everything.'),
        ('d', 'Sending is closed for now: a payment was given back after its credits had been'
            || ' used. You can read and download everything.'),
        ('e', 'By hand.')
    ) AS frozen (name, reason);
    INSERT INTO unfreezings (id, user_id, frozen_at, frozen_reason)
    SELECT gen_random_uuid(), id, now(), spending_frozen_reason
    FROM users WHERE email = 'c@example.org';
    INSERT INTO audit_findings (id, user_id, rule, subject, off_by_micros)
    SELECT gen_random_uuid(), id, rule, subject, off_by FROM users CROSS JOIN (VALUES
        ('the balance is the sum of the entries', 'user:1', 1),
        ('what went back at Stripe is what was taken back', 'refund:1', 2),
        ('a charge is no more than was held', 'call:1', 3)
    ) AS found (rule, subject, off_by) WHERE email = 'a@example.org';
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference, note, reason)
    SELECT gen_random_uuid(), id, kind, amount, reference, note, reason FROM users
    CROSS JOIN (VALUES
        ('expiry', -1, '1', 'Granted credits lapse after a while; bought ones never do.', NULL),
        ('adjustment', 1, '2', 'The bank has given the money back after all.', NULL),
        ('payment_refund', -1, '3', 'Money of a payment was given back.', NULL),
        ('refund', 1, '4', 'No answer came of it.', 'job_failed'),
        ('adjustment', 1, '5', 'Our own test.', NULL)
    ) AS entry (kind, amount, reference, note, reason) WHERE email = 'a@example.org';
    INSERT INTO model_calls (id, user_id, job_id, attempt, model, status, held_micros, detail,
                             closed_at)
    SELECT gen_random_uuid(), user_id, id, 1, 'demo/demo', call.status, 5, detail, now()
    FROM jobs CROSS JOIN (VALUES
        ('cut', 'HTTP 529'), ('lost', 'The worker stopped before the call ended.')
    ) AS call (status, detail) WHERE failure_code = 'no_credit';
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference, note)
    SELECT gen_random_uuid(), user_id, 'charge', -1, 'call:' || id, detail
    FROM model_calls WHERE status = 'cut';
    INSERT INTO standing_charges (id, user_id, call_id, job_id, reason, charged_micros)
    SELECT gen_random_uuid(), user_id, id, job_id, 'job_failed', 5
    FROM model_calls WHERE status = 'cut';
    INSERT INTO payments (id, user_id, kind, status, amount_micros, failure)
    SELECT lpad(number::text, 32, '0')::uuid, id, 'checkout', 'failed', 1, said
    FROM users CROSS JOIN (VALUES
        (1, 'Your card was declined.'), (2, 'The payment did not go through.'),
        (3, 'The payment page could not be opened. Nothing was charged.'), (4, 'Odd.')
    ) AS payment (number, said) WHERE email = 'a@example.org';
    INSERT INTO billing_accounts (user_id, top_up_off_reason)
    SELECT id, said FROM users JOIN (VALUES
        ('a', 'Your bank wants you to confirm each payment. That cannot be done while you are'
            || ' away.'),
        ('b', 'Your card has expired. It was tried 3 times.'),
        ('c', 'The saved card was removed.'), ('d', 'Odd.')
    ) AS off (of, said) ON email = off.of || '@example.org';
    INSERT INTO stripe_events (id, kind, happened_at, trouble) VALUES
        ('1', 'k', now(), 'payment 0199a0b0-0000-7000-8000-000000000000: 5 eur'),
        ('2', 'k', now(), 'it contradicts the books: ck_payments_amount_positive'),
        ('3', 'k', now(), 'Odd.'), ('4', 'k', now(), NULL)
"""
_NOT_VALID = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"
_INDEX = """
    SELECT indisvalid, pg_get_indexdef(indexrelid) AS said
    FROM pg_index WHERE indexrelid = to_regclass(:name)
"""
_BEFORE_REASONS = """
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash)
        VALUES (gen_random_uuid(), 'ada@example.org', '') RETURNING id
    )
    INSERT INTO transactions
        (id, user_id, kind, amount_micros, reference, provider_cost_micros, note)
    SELECT gen_random_uuid(), id, kind, amount, reference, cost, note FROM somebody
    CROSS JOIN (VALUES
        ('charge', -5, 'call:1', 3, ''),
        ('absorbed', 0, 'call:2', 4, ''),
        ('refund', 5, 'refund:1', NULL, 'The worker stopped; the answer was begun again.'),
        ('refund', 5, 'refund:2', NULL, 'No answer came of it.'),
        ('absorbed', 0, 'absorbed:call:1', 2, 'The provider counted more.'),
        ('absorbed', 0, 'absorbed:dispute:1', 8, ''),
        ('absorbed', 0, 'undone:absorbed:dispute:1', -8, '')
    ) AS entry (kind, amount, reference, cost, note)
"""
_BEFORE_PAYMENTS = """
    WITH somebody AS (
        INSERT INTO users (id, email, password_hash, credits_balance_micros)
        VALUES (gen_random_uuid(), 'ada@example.org', '', 7) RETURNING id
    )
    INSERT INTO transactions (id, user_id, kind, amount_micros, reference)
    SELECT gen_random_uuid(), id, kind, amount, kind FROM somebody
    CROSS JOIN (VALUES ('grant', 10), ('charge', -3)) AS entry (kind, amount)
"""


def _run(engine: sa.Engine, revision: str) -> subprocess.CompletedProcess[str]:
    """Migrate as processes do, but to any revision."""
    url = engine.url.render_as_string(hide_password=False)
    given = {**os.environ, "DATABASE_URL": url}  # noqa: TID251  # for a process of its own
    return subprocess.run(
        [*serve.migrate()[:-1], revision],
        cwd=PROJECT_DIR,
        env=given,
        capture_output=True,
        text=True,
        check=False,
    )


def _upgrade(engine: sa.Engine, revision: str) -> None:
    with engine.begin() as connection:
        migrations = Config(PROJECT_DIR / "alembic.ini")
        migrations.attributes["connection"] = connection
        command.upgrade(migrations, revision)
