"""Faults by which somebody pays too much, or we do."""

from tests.mutants.mutant import Mutant

LEDGER = "tests/models/ledger/test_entries.py::"
BUCKETS = "tests/models/ledger/test_buckets.py::"
REFUNDS = "tests/models/payments/test_refunds.py::"
DISPUTES = "tests/models/payments/test_disputes.py::"
PAYMENTS = "tests/models/payments/test_payments.py::"
TOP_UP = "tests/models/payments/test_auto_topup.py::"
WRITE_OFFS = "tests/models/ledger/test_write_offs.py::"
LIMITS = "tests/models/ledger/test_limits.py::"
PRICES = "tests/agent/test_prices.py::"
FREE = "tests/models/people/test_free_credit.py::"
OUTCOMES = "tests/tasks/worker/test_outcomes.py::"
FREEZES = "tests/models/ledger/test_freezes.py::"
ADMINS = "tests/models/ops/test_user_actions.py::"
ACCOUNTING = "tests/webapp/admin/test_accounting.py::"
SIMULATOR = "tests/models/ops/test_simulator.py::"
PAUSING = "tests/models/jobs/test_pausing.py::"
CUSTOMERS = "tests/actions/test_customer_deletions.py::"

MUTANTS = (
    Mutant(
        "an erased account stays at Stripe",
        "models/people/account_deletion.py",
        "    customer_deletions.want(db, user_id)\n",
        "",
        (f"{CUSTOMERS}test_the_customer_goes_and_the_books_stay",),
    ),
    Mutant(
        "a customer who is gone is asked for without end",
        "gateways/stripe_payments.py",
        '                if error.code != "resource_missing":\n                    raise\n',
        "                raise error\n",
        (f"{CUSTOMERS}test_whoever_dies_after_stripe_did_it_is_taken_over",),
    ),
    Mutant(
        "an admin's form that comes twice is done twice",
        "models/ops/admin_actions.py",
        "    return not is_done(db, order.key)\n",
        "    return not is_done(db, order.key) or bool(order.reason)\n",
        (f"{ADMINS}test_the_same_form_twice_is_done_once",),
    ),
    Mutant(
        "an admin adjusts as much as they like",
        "models/ops/user_actions.py",
        "int(db.scalar(lately) or 0) + abs(micros) > most",
        "abs(micros) > most",
        (f"{ADMINS}test_one_admin_adjusts_no_more_than_the_limit_of_a_day",),
    ),
    Mutant(
        "money that went back is a provider's cost",
        "models/ops/rollup_statements.py",
        "OR kind = 'absorbed' AND NOT is_of_payments",
        "OR kind = 'absorbed'",
        ("tests/models/ops/test_rollups.py::test_all_numbers_are_those_of_the_raw_rows",),
    ),
    Mutant(
        "profit forgets what Stripe keeps",
        "models/ops/profit.py",
        "return self.revenue_micros - spent - self.storage_micros - self.fees_micros",
        "return self.revenue_micros - spent - self.storage_micros",
        (f"{ACCOUNTING}test_profit_is_what_is_worked_out_by_hand",),
    ),
    Mutant(
        "what was answered for a messenger counts for the website",
        "models/ops/rollup_statements.py",
        "_CHANNEL = \"coalesce(messages.channel, '') AS channel\"",
        "_CHANNEL = \"'web' AS channel\"",
        ("tests/models/ops/test_rollups.py::test_all_numbers_are_those_of_the_raw_rows",),
    ),
    Mutant(
        "the simulator has users spend what they do not have",
        "models/ops/simulator.py",
        '(wants - missing).label("spent")',
        'wants.label("spent")',
        (f"{SIMULATOR}test_who_had_not_had_enough_runs_dry_and_writes_less",),
    ),
    Mutant(
        "the simulator takes free credit for revenue",
        "models/ops/simulator.py",
        '(here.spent - free).label("revenue_micros")',
        'here.spent.label("revenue_micros")',
        (f"{SIMULATOR}test_what_changes_nothing_has_the_numbers_of_the_books",),
    ),
    Mutant(
        "a channel sends without asking whether it may cost so much",
        "actions/sending.py",
        "    agreed, talk = incoming.agreed_micros, incoming.conversation_id\n",
        "    agreed, talk = 10**9, incoming.conversation_id\n",
        ("tests/actions/test_sending.py::test_the_quote_is_asked_first_and_agreeing_sends",),
    ),
    Mutant(
        "a call holds more than there is",
        "models/ledger/calls.py",
        "if call.held_micros <= 0 or user.credits_available_micros < call.held_micros:",
        "if call.held_micros <= 0:",
        (f"{LEDGER}test_a_hold_cannot_be_spent_twice",),
    ),
    Mutant(
        "a frozen account begins calls",
        "models/ledger/calls.py",
        "    if user.is_frozen:\n"
        "        raise SpendingFrozen(user.spending_frozen_reason, user.spending_frozen_details)\n",
        "",
        (f"{LEDGER}test_a_frozen_account_holds_nothing_more",),
    ),
    Mutant(
        "a call that is closed again is charged again",
        "models/ledger/calls.py",
        "    if call.status is not CallStatus.OPEN:\n        return 0\n",
        "",
        (f"{LEDGER}test_a_call_becomes_one_charge_however_often_it_is_closed",),
    ),
    Mutant(
        "a hold is never given free",
        "models/ledger/calls.py",
        "    user.credits_held_micros -= call.held_micros\n",
        "",
        (f"{LEDGER}test_a_call_becomes_one_charge_however_often_it_is_closed",),
    ),
    Mutant(
        "a call of an attempt that was given up is charged",
        "models/ledger/calls.py",
        "if is_ours or owes_nothing(db, call_id):",
        "if is_ours:",
        (f"{LEDGER}test_a_call_that_ends_after_its_attempt_was_given_up_is_ours",),
    ),
    Mutant(
        "more is charged than was held",
        "models/ledger/calls.py",
        "payable = min(cost.charge_micros, call.held_micros)",
        "payable = cost.charge_micros",
        (f"{LEDGER}test_what_goes_beyond_a_hold_is_at_our_expense",),
    ),
    Mutant(
        "a lost call counts for nothing against the cap",
        "models/ledger/calls.py",
        "carried = _most_cost(call) if is_lost else cost.provider_cost_micros",
        "carried = cost.provider_cost_micros",
        (f"{WRITE_OFFS}test_a_lost_call_counts_by_the_most_that_it_can_have_cost",),
    ),
    Mutant(
        "bought credits are used before granted ones",
        "models/ledger/entries.py",
        "    return max(amount, -promotional)\n",
        "    return min(amount + user.credits_balance_micros - promotional, 0)\n",
        (f"{BUCKETS}test_granted_credits_are_used_first",),
    ),
    Mutant(
        "money that goes back takes granted credits first",
        "models/ledger/entries.py",
        "        return min(amount + bought, 0)\n",
        "        return max(amount, -promotional) if bought else amount\n",
        (f"{REFUNDS}test_refunds_take_bought_credits_and_add_up",),
    ),
    Mutant(
        "money that goes back takes what running calls hold",
        "models/ledger/clawbacks.py",
        "taken = min(micros, user.credits_available_micros)",
        "taken = min(micros, user.credits_balance_micros)",
        (f"{REFUNDS}test_what_a_running_call_holds_is_not_taken_back",),
    ),
    Mutant(
        "granted credits that a call holds lapse",
        "models/ledger/clawbacks.py",
        "lapsed = min(older, user.credits_available_micros)",
        "lapsed = older",
        (f"{BUCKETS}test_what_a_running_call_holds_lapses_on_a_later_day",),
    ),
    Mutant(
        "newer grants lapse with the older ones",
        "models/ledger/clawbacks.py",
        "older = user.credits_promotional_micros - int(newer)",
        "older = user.credits_promotional_micros",
        (f"{BUCKETS}test_grants_lapse_and_bought_credits_never_do",),
    ),
    Mutant(
        "more is written off than fits into the day",
        "models/ledger/write_offs.py",
        "if reason in CAPPED and (room is None or carried_micros > room.left_micros):",
        "if reason in CAPPED and room is None:",
        (f"{WRITE_OFFS}test_nor_is_what_does_not_fit_into_the_rest_of_the_day",),
    ),
    Mutant(
        "the cap of a day is that of an hour",
        "models/ledger/write_offs.py",
        "return day_of(CAP_ZONE, now).begins",
        "return now.replace(minute=0, second=0, microsecond=0)",
        (f"{WRITE_OFFS}test_the_cap_is_that_of_a_whole_day",),
    ),
    Mutant(
        "what stands is given back by the next try",
        "models/ledger/reversals.py",
        "if call.id in stands or not _give_back(db, user, call, charge, reason):",
        "if not _give_back(db, user, call, charge, reason):",
        (f"{WRITE_OFFS}test_what_stands_once_stands_though_the_next_day_has_room",),
    ),
    Mutant(
        "a person's whole charge is given back, also of another attempt",
        "models/ledger/reversals.py",
        "        wanted = wanted.where(ModelCall.attempt == attempt)\n",
        "        wanted = wanted.where(ModelCall.attempt > 0)\n",
        (f"{LEDGER}test_only_the_charges_of_one_attempt_go_back",),
    ),
    Mutant(
        "what was shown is paid for, whoever failed",
        "models/jobs/charging.py",
        "return was_shown and is_steered(code)",
        "return was_shown",
        (f"{OUTCOMES}test_our_failures_are_ours",),
    ),
    Mutant(
        "what was never shown is paid for",
        "models/jobs/charging.py",
        "return was_shown and is_steered(code)",
        "return is_steered(code)",
        (f"{OUTCOMES}test_where_nothing_was_shown_nothing_is_paid",),
    ),
    Mutant(
        "an attempt that is begun again is paid for twice",
        "tasks/worker/outcomes.py",
        "        back = ledger.refund_job(db, job.id, attempt=held.attempt, reason=reason)\n",
        "        back = ledger.refund_job(db, job.id, attempt=0, reason=reason)\n",
        (f"{OUTCOMES}test_an_attempt_that_is_given_up_costs_nothing_and_another_is_made",),
    ),
    Mutant(
        "a job that ran dry is paid for and answered again",
        "models/jobs/pausing.py",
        "if ledger.refund_job(db, job.id, reason=WriteOffReason.OUT_OF_CREDIT).standing_micros:",
        "if not job.is_head:",
        (f"{PAUSING}test_a_job_that_runs_dry_pauses_its_lane_and_costs_nothing",),
    ),
    Mutant(
        "messages of a frozen account go on",
        "models/jobs/pausing.py",
        "    if db.get_one(User, user_id).is_frozen:\n        return []\n",
        "",
        (f"{PAUSING}test_while_an_account_is_frozen_nothing_goes_on",),
    ),
    Mutant(
        "a payment that is paid becomes another when Stripe tells it again",
        "models/payments/stripe_effects.py",
        "    if payment.status is PaymentStatus.PAID:\n        return None\n",
        "",
        (f"{PAYMENTS}test_what_is_paid_stays_as_it_was_paid",),
    ),
    Mutant(
        "another amount than was asked for is credited",
        "models/payments/stripe_effects.py",
        'if currency != "usd" or bought_micros != payment.amount_micros:',
        'if currency != "usd":',
        (f"{PAYMENTS}test_another_amount_than_we_asked_for_is_set_aside",),
    ),
    Mutant(
        "another currency is credited as dollars",
        "models/payments/stripe_effects.py",
        'if currency != "usd" or bought_micros != payment.amount_micros:',
        "if bought_micros != payment.amount_micros:",
        (f"{PAYMENTS}test_another_amount_than_we_asked_for_is_set_aside",),
    ),
    Mutant(
        "a share of a payment is rounded up",
        "models/payments/stripe_effects.py",
        "return payment.amount_micros * back // payment.charged_micros",
        "return -(-payment.amount_micros * back // payment.charged_micros)",
        (f"{REFUNDS}test_a_share_is_rounded_down",),
    ),
    Mutant(
        "refunds take more than was paid",
        "models/payments/refunds.py",
        "    if back > (payment.charged_micros or 0):\n",
        "    if back < 0:\n",
        (f"{REFUNDS}test_what_goes_back_before_a_failure_is_told_waits_for_that",),
    ),
    Mutant(
        "a refund that failed counts as gone back",
        "models/payments/refunds.py",
        "    payment.returned_micros -= refund.taken_micros + refund.absorbed_micros\n",
        "",
        (f"{REFUNDS}test_what_goes_back_after_a_failure_is_taken_anew",),
    ),
    Mutant(
        "a refund of used credits freezes nothing",
        "models/payments/refunds.py",
        "        ledger.freeze(user, FreezeReason.REFUND)\n",
        "        pass\n",
        (f"{REFUNDS}test_a_refund_beyond_what_is_left_is_absorbed_and_freezes",),
    ),
    Mutant(
        "a bank's inquiry takes the credits",
        "models/payments/disputes.py",
        "if status.startswith(INQUIRY) or db.get(Dispute, dispute_id) is not None:",
        "if db.get(Dispute, dispute_id) is not None:",
        (f"{DISPUTES}test_an_inquiry_takes_nothing",),
    ),
    Mutant(
        "a dispute that was lost brings the credits back",
        "models/payments/disputes.py",
        "    elif not is_lost:\n        _undo(db, user, dispute)\n",
        "    else:\n        _undo(db, user, dispute)\n",
        (f"{DISPUTES}test_a_dispute_that_was_lost_stays_taken",),
    ),
    Mutant(
        "one thing that is settled ends a freeze for another",
        "models/payments/auto_unfreeze.py",
        "    if db.scalar(owed) is not None:\n        return\n",
        "",
        (f"{REFUNDS}test_what_else_is_open_keeps_it_frozen",),
    ),
    Mutant(
        "a freeze ends though the books are wrong",
        "models/ledger/freezes.py",
        "if forced_because is None and still_found(db, user_id):",
        "if forced_because is None and user_id == admin_id:",
        (f"{FREEZES}test_while_something_is_wrong_it_ends_only_by_force_and_with_a_reason",),
    ),
    Mutant(
        "automatic top-up goes beyond its month",
        "models/payments/auto_topup.py",
        "if spent_this_month(db, user) + amount > most:",
        "if amount > most:",
        (f"{TOP_UP}test_a_month_has_so_much_and_no_more",),
    ),
    Mutant(
        "the month of automatic top-up is that of UTC",
        "models/payments/auto_topup.py",
        "month_of(user.timezone, utc_now()).begins",
        'month_of("UTC", utc_now()).begins',
        (f"{TOP_UP}test_the_month_begins_where_the_person_lives",),
    ),
    Mutant(
        "a frozen account is topped up by itself",
        "models/payments/auto_topup.py",
        "            User.spending_frozen_at.is_(None),\n",
        "",
        (f"{TOP_UP}test_a_frozen_account_is_not_topped_up",),
    ),
    Mutant(
        "what was given back counts as spent",
        "models/ledger/limits.py",
        "kinds = (EntryKind.CHARGE, EntryKind.REFUND)",
        "kinds = (EntryKind.CHARGE,)",
        (f"{LIMITS}test_what_was_given_back_was_not_spent",),
    ),
    Mutant(
        "what is held is left of a limit",
        "models/ledger/limits.py",
        "one.limit_micros - used - user.credits_held_micros,",
        "one.limit_micros - used,",
        (f"{LIMITS}test_what_is_spent_and_held_is_not_left",),
    ),
    Mutant(
        "a day begins at midnight UTC",
        "models/ledger/limits.py",
        "(user.day_limit_micros, day_of(user.timezone, now), DayLimitReached),",
        '(user.day_limit_micros, day_of("UTC", now), DayLimitReached),',
        (f"{LIMITS}test_a_day_and_a_month_begin_where_the_person_lives",),
    ),
    Mutant(
        "parts of a micro-dollar are given away",
        "agent/prices.py",
        "to_integral_value(ROUND_CEILING)",
        'to_integral_value("ROUND_FLOOR")',
        (f"{PRICES}test_parts_of_a_micro_dollar_are_rounded_up",),
    ),
    Mutant(
        "the margin is a share of our cost",
        "agent/prices.py",
        "_micros(cost / share)",
        "_micros(cost * (2 - share))",
        (f"{PRICES}test_the_margin_is_a_share_of_what_the_person_pays",),
    ),
    Mutant(
        "a model without a price is free",
        "agent/prices.py",
        "if cost < 0 or (cost == 0 and used > 0):",
        "if cost < 0:",
        (f"{PRICES}test_what_a_table_prices_at_nothing_is_not_served",),
    ),
    Mutant(
        "each address of a mailbox has free credit",
        "models/people/free_credit.py",
        'hashed("mailbox", mailbox_of(user.email))',
        'hashed("mailbox", user.email)',
        (f"{FREE}test_a_mailbox_has_it_once",),
    ),
    Mutant(
        "a network has free credit once too often",
        "models/people/free_credit.py",
        "return (db.scalar(lately) or 0) >= limit",
        "return (db.scalar(lately) or 0) > limit",
        (f"{FREE}test_a_network_has_only_so_many_a_week",),
    ),
    Mutant(
        "a turn goes on after a call that cost more than its hold",
        "agent/meter/settlement.py",
        "                self._running.trouble = "
        "AgentFailed(TurnFailure.BEYOND_HOLD, permanent=True)\n",
        "                pass\n",
        (
            "tests/agent/meter/test_money.py::test_no_further_call_is_made_after_one_beyond_its_hold",
        ),
    ),
)
