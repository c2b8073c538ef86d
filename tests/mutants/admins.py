"""Faults by which an admin does what is not theirs to do, or does it twice."""

from tests.mutants.mutant import Mutant

SWITCHES = "tests/models/ops/test_switches.py::"
ACTIONS = "tests/models/ops/test_user_actions.py::"
ACCOUNTS = "tests/models/ops/test_account_orders.py::"
EVERY = "tests/webapp/admin/test_every_action.py::"
CODES = "tests/models/people/test_two_factor.py::"
PASSWORDS = "tests/models/people/test_password_reset.py::"
SIGNING_IN = "tests/webapp/accounts/test_two_factor.py::"
REFUNDS = "tests/actions/test_admin_refunds.py::"
BULK = "tests/actions/test_bulk_jobs.py::"
PAUSES = "tests/models/jobs/test_pauses.py::"
ERASURE = "tests/actions/test_account_erasure.py::"

MUTANTS = (
    Mutant(
        "support switches",
        "models/ops/switch_changes.py",
        "needs=Permission.SWITCH",
        "needs=Permission.ACT",
        (f"{SWITCHES}test_only_owners_switch",),
    ),
    Mutant(
        "a change of the switches overwrites another",
        "models/ops/switch_changes.py",
        "    if version != shown_version:\n        raise SwitchesChanged\n",
        "",
        (f"{SWITCHES}test_a_change_is_done_once_and_over_no_other",),
    ),
    Mutant(
        "who was active on another day of the month counts for the week",
        "models/ops/rollup_statements.py",
        "FILTER (WHERE last_day >= :week)",
        "FILTER (WHERE last_day >= :month)",
        ("tests/models/ops/test_rollups.py::test_who_was_active_lately_is_counted_once",),
    ),
    Mutant(
        "the margin goes beyond what was promised",
        "models/ops/switches.py",
        "Field(ge=30, le=50)",
        "Field(ge=0, le=100)",
        (f"{SWITCHES}test_the_margin_stays_within_what_was_promised",),
    ),
    Mutant(
        "a paused provider's messages are claimed",
        "models/jobs/claiming.py",
        '"providers": sorted(self.providers) or None,',
        '"providers": None,',
        (f"{PAUSES}test_of_a_paused_provider_nothing_is_claimed_and_all_else_is",),
    ),
    Mutant(
        "an owner approves what they asked for",
        "models/ops/adjustment_approvals.py",
        "    if asked.asked_by_id == order.admin.id:\n        raise OwnRequest\n",
        "",
        (f"{ACTIONS}test_what_is_more_waits_for_another_owner",),
    ),
    Mutant(
        "support approves adjustments",
        "models/ops/adjustment_approvals.py",
        "    asked = _find(db, adjustment_id)\n"
        "    user = admin_actions.begin(db, order, asked.user_id, needs=Permission.ACT_MONEY)\n"
        "    if user is None:\n"
        "        return ()\n",
        "    asked = _find(db, adjustment_id)\n"
        "    user = admin_actions.begin(db, order, asked.user_id, needs=Permission.ACT)\n"
        "    if user is None:\n"
        "        return ()\n",
        (f"{ACTIONS}test_only_owners_approve",),
    ),
    Mutant(
        "an adjustment is approved after its time",
        "models/ops/adjustment_approvals.py",
        " or found.expires_at <= utc_now():",
        ":",
        (f"{ACTIONS}test_what_was_refused_or_not_decided_in_time_is_never_booked",),
    ),
    Mutant(
        "what one admin may not adjust is adjusted at once",
        "models/ops/user_actions.py",
        "    return int(db.scalar(lately) or 0) + abs(micros) > most\n",
        "    return abs(micros) > most\n",
        (f"{ACTIONS}test_one_admin_adjusts_no_more_than_the_limit_of_a_day",),
    ),
    Mutant(
        "more goes back than was paid",
        "models/payments/refund_orders.py",
        "    if back > left:\n        raise RefundTooLarge(left_micros=left)\n",
        "",
        (f"{REFUNDS}test_no_more_goes_back_than_was_paid",),
    ),
    Mutant(
        "a refund is made twice at Stripe",
        "gateways/stripe_refunds.py",
        '                {"idempotency_key": f"refund:{wanted.order_id}"},\n',
        "",
        (f"{REFUNDS}test_a_silent_stripe_is_asked_again_and_after_twenty_hours_looked_at",),
    ),
    Mutant(
        "what is cancelled in bulk keeps the charges of an attempt",
        "models/ops/bulk_orders.py",
        "stop(db, job, was_shown=False)",
        "stop(db, job)",
        (f"{BULK}test_what_an_attempt_had_cost_is_given_back_and_the_lane_goes_on",),
    ),
    Mutant(
        "the log tells of a stop of what was over already",
        "actions/admin_jobs.py",
        "    if job.status not in UNFINISHED:\n        return False\n",
        "",
        ("tests/webapp/admin/test_queue.py::test_of_a_message_that_is_over_no_stop_is_logged",),
    ),
    Mutant(
        "a code is taken twice",
        "models/people/two_factor.py",
        "    if step is not None and step > found.last_step:\n",
        "    if step is not None:\n",
        (f"{CODES}test_a_code_is_taken_once_and_none_before_it_afterwards",),
    ),
    Mutant(
        "a recovery code is anybody's",
        "models/people/two_factor.py",
        "        RecoveryCode.user_id == found.user_id,\n"
        "        RecoveryCode.code_hash == totp.recovery_hash(plain),\n",
        "        RecoveryCode.code_hash == totp.recovery_hash(plain),\n",
        (f"{CODES}test_a_recovery_code_is_taken_once_and_is_nobody_elses",),
    ),
    Mutant(
        "codes are guessed for ever",
        "models/people/two_factor.py",
        "    if found.wrong_codes >= MOST_WRONG:\n        raise TooManyWrongCodes\n",
        "",
        (f"{CODES}test_guessing_ends_and_a_right_code_too_until_a_while_has_passed",),
    ),
    Mutant(
        "a set-up of two factors outlives a new password",
        "models/people/sessions.py",
        "    db.execute(delete(TwoFactor).where(*unconfirmed))\n",
        "",
        (f"{CODES}test_a_set_up_ends_with_what_shuts_a_thief_out",),
    ),
    Mutant(
        "a log-in under way stays in without a code",
        "models/people/two_factor.py",
        "    user = ledger.lock_account(db, session.user_id)\n    found = _lock(db, user.id)\n",
        "    user = session.user\n    found = _lock(db, user.id)\n",
        (f"{CODES}test_a_log_in_under_way_ends_before_it_is_switched_on",),
    ),
    Mutant(
        "who is suspended while they log in is in",
        "models/people/users.py",
        '    fresh = ["password_hash", "sign_in_suspended_at"]\n',
        '    fresh = ["password_hash"]\n',
        (f"{PASSWORDS}test_whoever_logs_in_while_an_admin_suspends_that_is_not_in",),
    ),
    Mutant(
        "a password alone opens an account with two factors",
        "webapp/core/auth.py",
        "    if not two_factor.is_on(db(), user.id):\n",
        "    if user:\n",
        (f"{SIGNING_IN}test_a_password_alone_opens_nothing_then",),
    ),
    Mutant(
        "admins get in without a code",
        "webapp/admin/access.py",
        "    if current_session().two_factor_at is None:\n"
        '        return go_to(url_for("two_factor.show", admin="yes"))\n',
        "",
        (f"{SIGNING_IN}test_no_admin_gets_in_without_it",),
    ),
    Mutant(
        "anybody's files are restored",
        "models/ops/account_orders.py",
        "    wanted = next((one for one in kept if one.id == snapshot_id), None)\n",
        "    wanted = db.get(StateSnapshot, snapshot_id)\n",
        (f"{ACCOUNTS}test_files_of_others_and_those_at_work_are_left_alone",),
    ),
    Mutant(
        "support deletes accounts",
        "models/ops/account_orders.py",
        "needs=Permission.ACT_MONEY",
        "needs=Permission.ACT",
        (f"{ACCOUNTS}test_owners_have_accounts_deleted_and_support_keeps_them",),
    ),
    Mutant(
        "an erased account leaves the rows that name it",
        "models/people/account_deletion.py",
        "            db.execute(delete(table).where(table.c.user_id == user_id))\n",
        "            pass\n",
        (f"{ERASURE}test_after_the_days_nothing_is_left_but_the_books",),
    ),
    Mutant(
        "unfreezing by an old form is done again",
        "webapp/admin/reports.py",
        "        order = ordered()\n",
        "        order = replace(ordered(), key=new_id())\n",
        (f"{EVERY}test_it_is_done_once_and_logged_with_before_and_after",),
    ),
    Mutant(
        "what an admin types is a pattern of SQL",
        "models/ops/user_search.py",
        "    part = _escaped(term.lower())\n",
        "    part = term.lower()\n",
        (
            "tests/models/ops/test_user_search.py::test_what_stands_for_anything_in_sql_is_only_itself",
        ),
    ),
)
