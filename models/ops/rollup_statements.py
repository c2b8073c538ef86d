"""The statements that add jobs and the ledger up; `models.ops.rollups` says when each is run."""

from sqlalchemy import text

_MONEY = """
    coalesce(-sum(amount_micros - promotional_micros)
        FILTER (WHERE kind IN ('charge', 'refund')), 0)
        AS revenue_micros,
    coalesce(-sum(promotional_micros) FILTER (WHERE kind IN ('charge', 'refund')), 0)
        AS free_credit_micros,
    coalesce(sum(provider_cost_micros)
        FILTER (WHERE kind = 'charge' OR kind = 'absorbed' AND NOT is_of_payments), 0)
        AS cost_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'refund'), 0) AS given_back_micros,
    coalesce(sum(carried_micros) FILTER (WHERE NOT is_of_payments), 0) AS absorbed_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'top_up'), 0) AS topped_up_micros,
    count(*) FILTER (WHERE kind = 'top_up') AS top_ups,
    coalesce(sum(CASE WHEN is_of_payments THEN carried_micros ELSE -amount_micros END)
        FILTER (WHERE is_of_payments OR kind IN ('payment_refund', 'chargeback')
                OR kind = 'adjustment' AND reverses_id IS NOT NULL), 0) AS refunds_micros,
    coalesce(sum(carried_micros) FILTER (WHERE is_of_payments), 0) AS gone_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'grant'), 0) AS granted_micros,
    coalesce(sum(amount_micros) FILTER (WHERE kind = 'grant' AND reference LIKE 'sign-up:%'), 0)
        AS sign_up_granted_micros,
    coalesce(sum(amount_micros), 0) AS moved_micros,
    coalesce(sum(promotional_micros), 0) AS moved_granted_micros"""
# What is added up of jobs and of the ledger, by the names of the columns.
SUMS = (
    *("messages", "answered", "failed", "cancelled", "busy_ms", "revenue_micros"),
    *("free_credit_micros", "cost_micros", "given_back_micros", "absorbed_micros"),
    *("topped_up_micros", "top_ups", "refunds_micros", "gone_micros", "granted_micros"),
    *("sign_up_granted_micros", "moved_micros", "moved_granted_micros"),
)
_NAMES = ", ".join(SUMS)
_ADDED = ", ".join(f"sum({name}) AS {name}" for name in SUMS)
_OR_NOTHING = ", ".join(f"coalesce({name}, 0) AS {name}" for name in SUMS)
_BEGIN = "date_bin(CAST(:width AS interval), {at}, TIMESTAMPTZ '2000-01-01 00:00Z') AS begins_at"
_WINDOW = "{at} >= :since AND {at} < :until"
_MONTH_OF = "date_trunc('month', {at}, 'UTC')"
_ENDED = """
    count(*) FILTER (WHERE status = 'completed') AS answered,
    count(*) FILTER (WHERE status = 'failed') AS failed,
    count(*) FILTER (WHERE status = 'cancelled') AS cancelled,
    coalesce(sum(floor(extract(epoch FROM finished_at - started_at) * 1000))::bigint, 0)
        AS busy_ms"""
_IS_OF_PAYMENTS = "coalesce(reason IN ('credits_gone', 'credits_back'), false) AS is_of_payments"


def _at(pattern: str, column: str) -> str:
    return pattern.format(at=column)


# One row for each user and part of the window in which there was anything of theirs.
_PARTS = f"""
    asked AS (
        SELECT {_at(_BEGIN, "created_at")}, user_id, count(*) AS messages
        FROM jobs WHERE {_at(_WINDOW, "created_at")} GROUP BY 1, 2
    ), ended AS (
        SELECT {_at(_BEGIN, "finished_at")}, user_id, {_ENDED}
        FROM jobs WHERE {_at(_WINDOW, "finished_at")} GROUP BY 1, 2
    ), entries AS (
        SELECT {_at(_BEGIN, "created_at")}, user_id, {_MONEY}
        FROM (SELECT *, {_IS_OF_PAYMENTS} FROM transactions) AS entry
        WHERE {_at(_WINDOW, "created_at")} GROUP BY 1, 2
    ), parts AS (
        SELECT begins_at, user_id, {_OR_NOTHING}
        FROM asked FULL JOIN ended USING (begins_at, user_id)
        FULL JOIN entries USING (begins_at, user_id)
    )"""  # noqa: S608  # only words of our own
_WITH_NEWCOMERS = f"""
    newcomers AS (
        SELECT {_at(_BEGIN, "created_at")}, count(*) AS sign_ups
        FROM users WHERE {_at(_WINDOW, "created_at")} GROUP BY 1
    )"""  # noqa: S608
HOURS = text(f"""
    WITH {_PARTS}, {_WITH_NEWCOMERS}, sums AS (
        SELECT begins_at, count(*) FILTER (WHERE messages > 0) AS active_users, {_ADDED}
        FROM parts GROUP BY begins_at
    )
    INSERT INTO hour_totals (begins_at, sign_ups, active_users, {_NAMES})
    SELECT begins_at, coalesce(sign_ups, 0), coalesce(active_users, 0), {_OR_NOTHING}
    FROM sums FULL JOIN newcomers USING (begins_at)
""")  # noqa: S608
USER_DAYS = text(f"""
    WITH {_PARTS}
    INSERT INTO user_days (begins_at, user_id, {_NAMES})
    SELECT begins_at, user_id, {_NAMES} FROM parts
""")  # noqa: S608
DAYS = text(f"""
    WITH {_WITH_NEWCOMERS}, sums AS (
        SELECT begins_at, count(*) FILTER (WHERE messages > 0) AS active_users, {_ADDED}
        FROM user_days WHERE {_at(_WINDOW, "begins_at")} GROUP BY begins_at
    )
    INSERT INTO day_totals (begins_at, sign_ups, active_users, {_NAMES})
    SELECT begins_at, coalesce(sign_ups, 0), coalesce(active_users, 0), {_OR_NOTHING}
    FROM sums FULL JOIN newcomers USING (begins_at)
""")  # noqa: S608
ACTIVATION = text(f"""
    WITH newcomers AS (
        SELECT {_at(_BEGIN, "users.created_at")}, EXISTS (
                   SELECT 1 FROM jobs WHERE jobs.user_id = users.id
                   AND jobs.created_at < users.created_at + interval '1 day'
               ) AS is_activated, EXISTS (
                   SELECT 1 FROM jobs WHERE jobs.user_id = users.id
                   AND jobs.created_at >= users.created_at + interval '7 days'
                   AND jobs.created_at < users.created_at + interval '14 days'
               ) AS has_returned
        FROM users WHERE {_at(_WINDOW, "users.created_at")}
    )
    UPDATE day_totals SET activated_users = cohort.activated, returned_users = cohort.returned
    FROM (
        SELECT begins_at, count(*) FILTER (WHERE is_activated) AS activated,
               count(*) FILTER (WHERE has_returned) AS returned
        FROM newcomers GROUP BY begins_at
    ) AS cohort
    WHERE cohort.begins_at = day_totals.begins_at
""")  # noqa: S608
# The channel is that of the question; it is not known any more once that was deleted.
_CHANNEL = "coalesce(messages.channel, '') AS channel"
SPLIT_DAYS = text(f"""
    WITH asked AS (
        SELECT {_at(_BEGIN, "jobs.created_at")}, {_CHANNEL}, jobs.model, count(*) AS messages
        FROM jobs LEFT JOIN messages ON messages.id = jobs.message_id
        WHERE {_at(_WINDOW, "jobs.created_at")} GROUP BY 1, 2, 3
    ), ended AS (
        SELECT {_at(_BEGIN, "finished_at")}, {_CHANNEL}, jobs.model, {_ENDED}
        FROM jobs LEFT JOIN messages ON messages.id = jobs.message_id
        WHERE {_at(_WINDOW, "finished_at")} GROUP BY 1, 2, 3
    ), entries AS (
        SELECT {_at(_BEGIN, "entry.created_at")}, {_CHANNEL}, coalesce(entry.model, '') AS model,
               {_MONEY}
        FROM (SELECT *, {_IS_OF_PAYMENTS} FROM transactions) AS entry
        LEFT JOIN jobs ON jobs.id = entry.job_id
        LEFT JOIN messages ON messages.id = jobs.message_id
        WHERE {_at(_WINDOW, "entry.created_at")} GROUP BY 1, 2, 3
    )
    INSERT INTO split_days (begins_at, channel, model, {_NAMES})
    SELECT begins_at, channel, model, {_OR_NOTHING}
    FROM asked FULL JOIN ended USING (begins_at, channel, model)
    FULL JOIN entries USING (begins_at, channel, model)
""")  # noqa: S608
# In each of these somebody was active if they were on their last day.
LATELY_ACTIVE = text("""
    INSERT INTO day_totals (begins_at, active_week, active_month)
    SELECT :today, count(*) FILTER (WHERE last_day >= :week), count(*) FROM (
        SELECT max(begins_at) AS last_day FROM user_days
        WHERE begins_at >= :month AND begins_at <= :today AND messages > 0 GROUP BY user_id
    ) AS active
    ON CONFLICT (begins_at) DO UPDATE
    SET active_week = excluded.active_week, active_month = excluded.active_month
""")
# Of the users whose days have changed.
USER_MONTHS = text(f"""
    INSERT INTO user_months (begins_at, user_id, {_NAMES})
    SELECT {_at(_MONTH_OF, "begins_at")}, user_id, {_ADDED}
    FROM user_days WHERE user_id = ANY(:users) AND {_at(_WINDOW, "begins_at")} GROUP BY 1, 2
    ON CONFLICT (user_id, begins_at)
    DO UPDATE SET {", ".join(f"{name} = excluded.{name}" for name in SUMS)}
""")  # noqa: S608
_DAYLESS = f"""{_at(_WINDOW, "begins_at")} AND NOT EXISTS (
        SELECT 1 FROM user_days WHERE user_days.user_id = user_months.user_id
        AND user_days.begins_at >= user_months.begins_at
        AND user_days.begins_at < user_months.begins_at + interval '1 month'
    )"""  # noqa: S608
# Of whoever only has files there is a month without days: what it says of files stays.
CLEARED_MONTHS = text(f"""
    UPDATE user_months SET {", ".join(f"{name} = 0" for name in SUMS)}
    WHERE user_id = ANY(:users) AND stored_bytes <> 0 AND {_DAYLESS}
""")  # noqa: S608
LEFT_MONTHS = text(f"""
    DELETE FROM user_months WHERE user_id = ANY(:users) AND stored_bytes = 0 AND {_DAYLESS}
""")  # noqa: S608
COHORT_MONTHS = text(f"""
    INSERT INTO cohort_months (begins_at, cohort_at, active_users, paying_users)
    SELECT begins_at, {_at(_MONTH_OF, "users.created_at")},
           count(*) FILTER (WHERE messages > 0), count(*) FILTER (WHERE revenue_micros > 0)
    FROM user_months JOIN users ON users.id = user_months.user_id
    WHERE {_at(_WINDOW, "begins_at")} GROUP BY 1, 2
""")  # noqa: S608
# A refund names no price list: its margin is that of the charge that it gives back.
USER_MODEL_MONTHS = text(f"""
    INSERT INTO user_model_months (begins_at, user_id, model, margin_percent, calls, tokens_in,
        tokens_out, tokens_cache_read, tokens_cache_write, cost_micros, charged_micros)
    SELECT {_at(_MONTH_OF, "entry.created_at")}, entry.user_id, entry.model,
           coalesce(substring(coalesce(charge.price_version, entry.price_version)
                              FROM '\\+m([0-9]{{1,2}})$')::bigint, 0),
           count(*) FILTER (WHERE entry.kind = 'charge'),
           coalesce(sum(entry.tokens_in), 0), coalesce(sum(entry.tokens_out), 0),
           coalesce(sum(entry.tokens_cache_read), 0), coalesce(sum(entry.tokens_cache_write), 0),
           coalesce(sum(entry.provider_cost_micros)
               FILTER (WHERE entry.kind IN ('charge', 'absorbed')), 0),
           coalesce(-sum(entry.amount_micros) FILTER (WHERE entry.kind IN ('charge', 'refund')), 0)
    FROM transactions AS entry LEFT JOIN transactions AS charge ON charge.id = entry.reverses_id
    WHERE entry.kind IN ('charge', 'refund', 'absorbed') AND entry.model IS NOT NULL
    AND {_at(_WINDOW, "entry.created_at")} GROUP BY 1, 2, 3, 4
""")  # noqa: S608
# Who has deleted everything has no row below.
NO_STORAGE = text("UPDATE user_months SET stored_bytes = 0 WHERE begins_at = :since")
EMPTY_MONTHS = text(f"DELETE FROM user_months WHERE stored_bytes = 0 AND {_DAYLESS}")  # noqa: S608
# The newest version of everybody's files, what they sent and brought, and what they were handed.
STORAGE = text("""
    INSERT INTO user_months (begins_at, user_id, stored_bytes)
    SELECT :since, user_id, sum(size_bytes) FROM (
        (SELECT DISTINCT ON (user_id) user_id, size_bytes FROM state_snapshots
         WHERE created_at < :until ORDER BY user_id, version DESC)
        UNION ALL
        SELECT user_id, size_bytes FROM uploads WHERE created_at < :until
        UNION ALL
        SELECT user_id, size_bytes FROM answer_files WHERE created_at < :until
        UNION ALL
        SELECT user_id, size_bytes FROM imported_files WHERE created_at < :until
    ) AS stored GROUP BY user_id
    ON CONFLICT (user_id, begins_at) DO UPDATE SET stored_bytes = excluded.stored_bytes
""")
