"""Faults by which two workers answer one message, or a late one overwrites a newer one."""

from tests.mutants.mutant import Mutant

JOBS = "tests/models/jobs/test_jobs.py::"
SETS = "tests/models/jobs/test_job_sets.py::"
LOCKS = "tests/models/jobs/test_lease_locks.py::"
LINKS = "tests/models/people/test_email_tokens.py::"
OUTBOX = "tests/models/email/test_outbox.py::"
HOLDING = "tests/tasks/worker/test_leased_jobs.py::"
REASONS = "tests/agent/cells/test_failure_reasons.py::"
OUTCOMES = "tests/tasks/worker/test_outcomes.py::"
SAVED = "tests/agent/state/test_saved.py::"
SENDING = "tests/actions/test_sending.py::"
STATES = "tests/models/chat/test_conversations.py::"

MUTANTS = (
    Mutant(
        "a job that is to wait is claimed at once",
        "models/jobs/claiming.py",
        "        SELECT id FROM jobs\n        WHERE status = 'pending' AND is_head"
        " AND ready_at <= statement_timestamp()\n",
        "        SELECT id FROM jobs\n        WHERE status = 'pending' AND is_head\n",
        (f"{JOBS}test_a_job_that_is_to_wait_is_not_claimed",),
    ),
    Mutant(
        "all messages of a person are answered at once",
        "models/jobs/claiming.py",
        "        SELECT id FROM jobs\n        WHERE status = 'pending' AND is_head AND",
        "        SELECT id FROM jobs\n        WHERE status = 'pending' AND",
        (f"{JOBS}test_a_persons_messages_are_answered_one_at_a_time_and_in_order",),
    ),
    Mutant(
        "workers that claim wait for each other",
        "models/jobs/claiming.py",
        "        FOR UPDATE SKIP LOCKED\n",
        "        FOR UPDATE\n",
        (f"{JOBS}test_two_workers_never_claim_the_same_job",),
    ),
    Mutant(
        "who waited longest is not first",
        "models/jobs/claiming.py",
        "        ORDER BY priority, ready_at, id\n        LIMIT :limit\n",
        "        ORDER BY id DESC\n        LIMIT :limit\n",
        (f"{JOBS}test_people_take_turns_whoever_has_more_waiting",),
    ),
    Mutant(
        "a claim counts no attempt",
        "models/jobs/claiming.py",
        "attempt = attempt + 1, worker_id = :worker_id,",
        "worker_id = :worker_id,",
        (f"{JOBS}test_who_lost_the_lease_can_write_nothing_more",),
    ),
    Mutant(
        "an earlier attempt still writes",
        "models/jobs/leases.py",
        ".where(Job.id == job_id, Job.attempt == attempt, Job.status == JobStatus.RUNNING)",
        ".where(Job.id == job_id, Job.status == JobStatus.RUNNING)",
        (f"{JOBS}test_who_lost_the_lease_can_write_nothing_more",),
    ),
    Mutant(
        "a job that was handed back is still written for",
        "models/jobs/leases.py",
        ".where(Job.id == job_id, Job.attempt == attempt, Job.status == JobStatus.RUNNING)",
        ".where(Job.id == job_id, Job.attempt == attempt)",
        (f"{LOCKS}test_a_job_that_was_handed_back_meanwhile_is_lost",),
    ),
    Mutant(
        "an earlier attempt renews the lease of a later one",
        "models/jobs/leases.py",
        "        WHERE jobs.status = 'running' AND jobs.attempt = held.attempt\n",
        "        WHERE jobs.status = 'running'\n",
        (f"{JOBS}test_renewing_keeps_a_job_and_tells_who_was_asked_to_stop",),
    ),
    Mutant(
        "a job is tried once more than it may be",
        "models/jobs/leases.py",
        "if job.attempt >= get_settings().job_max_attempts or back.standing_micros:",
        "if job.attempt > get_settings().job_max_attempts or back.standing_micros:",
        (f"{JOBS}test_a_poisoned_job_fails_after_the_last_attempt_and_frees_the_lane",),
    ),
    Mutant(
        "what was to stop is tried again",
        "models/jobs/completion.py",
        "    if job.stop_requested_at is not None:\n",
        "    if job.stop_requested_at is not None and wait:\n",
        (
            f"{JOBS}test_a_silent_workers_job_that_was_to_stop_is_over",
            f"{OUTCOMES}test_what_a_person_stops_while_it_fails_is_not_tried_again",
        ),
    ),
    Mutant(
        "a cell that fails while its user presses Stop is kept",
        "tasks/worker/outcomes.py",
        "is_stopped and failure.code is TurnFailure.STOPPED",
        "is_stopped",
        (f"{OUTCOMES}test_a_stop_makes_no_cell_well",),
    ),
    Mutant(
        "a user who presses Stop waits until a process may have died",
        "agent/cells/failure_reasons.py",
        "while not (gone.is_set() or stop.is_set()):",
        "while not gone.is_set():",
        (f"{REASONS}test_who_presses_stop_waits_for_no_process",),
    ),
    Mutant(
        "a gateway that refuses may be dying",
        "agent/cells/failure_reasons.py",
        "if isinstance(error, GatewayRefused):",
        "if isinstance(error, GatewayRefused) and stop.is_set():",
        (f"{REASONS}test_a_gateway_that_refuses_lives_and_nobody_waits",),
    ),
    Mutant(
        "a dead worker's job waits for that worker",
        "models/jobs/leases.py",
        "    job.preferred_worker_id, job.preferred_until = None, None\n",
        "",
        (f"{JOBS}test_a_silent_workers_job_goes_to_another_at_once",),
    ),
    Mutant(
        "the first retry waits twice as long",
        "models/jobs/leases.py",
        "2 ** (attempt - 1)",
        "2 ** attempt",
        (f"{JOBS}test_each_further_try_waits_twice_as_long",),
    ),
    Mutant(
        "an earlier attempt completes the job",
        "models/jobs/completion.py",
        "        WHERE jobs.status = 'running' AND jobs.attempt = given.attempt\n",
        "        WHERE jobs.status = 'running'\n",
        (f"{SETS}test_nothing_is_written_for_a_job_that_is_not_ours_any_more",),
    ),
    Mutant(
        "a job that is over is completed again",
        "models/jobs/completion.py",
        "        WHERE jobs.status = 'running' AND jobs.attempt = given.attempt\n",
        "        WHERE jobs.attempt = given.attempt\n",
        (f"{SETS}test_what_is_over_is_not_completed_any_more",),
    ),
    Mutant(
        "a locked account holds up everybody's answers",
        "models/jobs/completion.py",
        "ORDER BY id FOR NO KEY UPDATE SKIP LOCKED\n",
        "ORDER BY id FOR NO KEY UPDATE\n",
        (f"{SETS}test_a_person_whose_account_is_locked_holds_nobody_up",),
    ),
    Mutant(
        "who has much waiting goes before everybody else",
        "models/jobs/completion.py",
        "        ready_at = clock_timestamp(),\n        preferred_worker_id",
        "        preferred_worker_id",
        (f"{JOBS}test_people_take_turns_whoever_has_more_waiting",),
    ),
    Mutant(
        "an answer is kept in a conversation that was deleted",
        "models/jobs/completion.py",
        "AND conversations.deleted_at IS NULL\n        RETURNING closed.*",
        "\n        RETURNING closed.*",
        (f"{SETS}test_nothing_is_kept_of_an_answer_for_a_deleted_conversation",),
    ),
    Mutant(
        "others begin while the files are still saved",
        "models/jobs/completion.py",
        "cell_worker_until = clock_timestamp() + :save_time\n",
        "cell_worker_until = clock_timestamp() - :save_time\n",
        (f"{SETS}test_only_the_worker_that_saves_the_files_may_take_the_next_job",),
    ),
    Mutant(
        "a message that is sent again is answered again",
        "models/jobs/enqueue.py",
        "    job = _queue(db, _ASK, *ids, **rest, sent_key=source.sent_key)\n",
        "    job = _queue(db, _ASK, *ids, **rest, sent_key=None)\n",
        ("tests/webapp/chat/test_routes.py::test_a_form_that_is_sent_again_says_it_once",),
    ),
    Mutant(
        "a telegram that is delivered again is answered again",
        "actions/sending.py",
        "                incoming.channel, incoming.sent_key, thinks_longer",
        "                incoming.channel, None, thinks_longer",
        (f"{SENDING}test_a_telegram_that_is_delivered_twice_is_one_message",),
    ),
    Mutant(
        "workers are woken for what was rolled back",
        "models/database.py",
        "is_settled = is_settled or ended.parent is None",
        "is_settled = bool(is_settled)",
        (f"{SENDING}test_nobody_hears_of_what_was_rolled_back",),
    ),
    Mutant(
        "pages hear of a message before it is committed",
        "actions/announcements.py",
        "    after_commit(db, lambda: _publish_queued(job, publisher))\n",
        "    _publish_queued(job, publisher)\n",
        (f"{SENDING}test_pages_hear_of_it_after_the_commit",),
    ),
    Mutant(
        "a turn that hangs keeps its lease for ever",
        "tasks/worker/leased_jobs.py",
        "for held in mine if held.since > eldest}",
        "for held in mine if held.since > eldest - 1e9}",
        (f"{HOLDING}test_a_turn_that_hangs_is_given_up_at_last",),
    ),
    Mutant(
        "a turn whose lease is lost goes on",
        "tasks/worker/leased_jobs.py",
        "                held.is_lost = True\n                held.stop.set()\n",
        "                held.is_lost = True\n",
        (f"{HOLDING}test_a_turn_whose_lease_is_lost_is_ended",),
    ),
    Mutant(
        "a lost job is written for",
        "tasks/worker/outcomes.py",
        '    if is_lost:\n        log.warning("job.lost")\n        return\n',
        "",
        (f"{OUTCOMES}test_a_job_that_is_lost_is_left_alone",),
    ),
    Mutant(
        "the last attempt is tried again",
        "tasks/worker/outcomes.py",
        "elif failure.permanent or held.attempt >= process.settings.job_max_attempts:",
        "elif failure.permanent:",
        (f"{OUTCOMES}test_the_last_attempt_fails",),
    ),
    Mutant(
        "a cell goes on that knows of an attempt that was given up",
        "tasks/worker/outcomes.py",
        "        process.runtime.discard(held.user_id)\n    if is_lost:",
        "        pass\n    if is_lost:",
        (f"{OUTCOMES}test_an_attempt_that_is_given_up_costs_nothing_and_another_is_made",),
    ),
    Mutant(
        "files of an older version are saved over newer ones",
        "models/ops/snapshots.py",
        "    if snapshot.version != (latest[0].version if latest else 0) + 1:\n",
        "    if snapshot.version < (latest[0].version if latest else 0):\n",
        (f"{STATES}test_only_who_follows_the_newest_version_may_save",),
    ),
    Mutant(
        "a pack is believed whatever its hash",
        "agent/state/saved.py",
        "        if hashlib.sha256(packed).hexdigest() != saved.sha256:\n",
        "        if not saved.sha256:\n",
        (f"{SAVED}test_a_pack_of_somebody_else_is_believed_by_nobody",),
    ),
    Mutant(
        "packs are believed that do not make up what was saved",
        "agent/state/merging.py",
        "    if tree_hash(tree) != expected:\n",
        "    if not tree and expected:\n",
        (f"{SAVED}test_packs_that_do_not_make_up_what_was_saved_are_no_version",),
    ),
    Mutant(
        "while storage is down an older version is used",
        "agent/state/saved.py",
        "                raise AgentFailed(TurnFailure.STATE_UNAVAILABLE, permanent=False)"
        " from error\n",
        "                continue\n",
        (f"{SAVED}test_storage_that_is_down_is_no_reason_to_use_an_older_version",),
    ),
    Mutant(
        "a late sender marks a mail that another one has by now",
        "models/email/outbox.py",
        "        Email.attempts == mail.attempt,\n",
        "",
        (f"{OUTBOX}test_the_late_word_of_an_earlier_sender_changes_nothing",),
    ),
    Mutant(
        "senders wait for each other",
        "models/email/outbox.py",
        ".with_for_update(skip_locked=True)\n        .cte",
        ".with_for_update()\n        .cte",
        (f"{OUTBOX}test_a_sender_does_not_wait_for_another_ones_row",),
    ),
    Mutant(
        "a mailed link works twice",
        "models/people/email_tokens.py",
        "return EmailToken.used_at.is_(None), EmailToken.expires_at > utc_now()",
        "return EmailToken.id.is_not(None), EmailToken.expires_at > utc_now()",
        (f"{LINKS}test_a_link_works_once",),
    ),
    Mutant(
        "a mailed link never expires",
        "models/people/email_tokens.py",
        "return EmailToken.used_at.is_(None), EmailToken.expires_at > utc_now()",
        "return EmailToken.used_at.is_(None), EmailToken.id.is_not(None)",
        (f"{LINKS}test_a_link_expires",),
    ),
    Mutant(
        "a link is not looked at again under the lock",
        "models/people/email_tokens.py",
        "    # Whoever had the lock before may have used it.\n"
        "    link = find(db, secret, purpose)\n",
        "    link = db.scalars(select(EmailToken).where("
        "EmailToken.secret_hash == _hashed(secret))).one()\n",
        (f"{LINKS}test_who_waited_for_the_account_looks_again",),
    ),
    Mutant(
        "what a savepoint has undone is told all the same",
        "models/database.py",
        " or ended in around\n",
        "\n",
        ("tests/models/test_database.py::test_what_a_savepoint_has_undone_is_never_done",),
    ),
    Mutant(
        "what fails after a commit is told as if nothing had been done",
        "models/database.py",
        '            log.exception("after_commit.failed")\n',
        "            raise\n",
        ("tests/models/test_database.py::test_what_fails_after_a_commit_is_logged_alone",),
    ),
    Mutant(
        "a message that came before is refused because its files went with it",
        "actions/sending.py",
        "        if before is None:\n            raise\n        return",
        "        if before is None or before:\n            raise\n        return",
        ("tests/actions/test_sending.py::test_files_wait_for_the_word_that_they_may_cost_so_much",),
    ),
)
