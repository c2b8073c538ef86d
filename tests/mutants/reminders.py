"""Faults in reminders and in the tools that set them: told twice, to another, or at no time."""

from tests.mutants.mutant import Mutant

RULES = "tests/models/reminders/test_recurrence.py::"
VERBS = "tests/models/reminders/test_reminders.py::"
FIRING = "tests/actions/test_reminders.py::"
TOOLS = "tests/tasks/worker/tools/test_tools.py::"
PORT = "tests/agent/tools/test_server.py::"

MUTANTS = (
    Mutant(
        "clocks fire what another one is firing",
        "models/reminders/firing.py",
        "        .with_for_update(of=Reminder, skip_locked=True)\n",
        "",
        (
            f"{FIRING}test_clocks_at_the_same_time_fire_each_once",
            f"{FIRING}test_what_is_being_cancelled_does_not_fire_meanwhile",
        ),
    ),
    Mutant(
        "what has fired is due again at once",
        "models/reminders/firing.py",
        "        reminders.advance(was.reminder, was.following, now)\n",
        "",
        (f"{FIRING}test_it_is_said_where_it_was_asked_for_and_once",),
    ),
    Mutant(
        "what was cancelled fires",
        "models/reminders/reminders.py",
        "    timing.stop(reminder, ReminderStatus.CANCELLED)\n",
        "",
        (f"{FIRING}test_what_was_cancelled_or_paused_never_fires",),
    ),
    Mutant(
        "anybody finds anybody's reminder",
        "models/reminders/queries.py",
        "        .where(Reminder.user_id == user_id, condition)\n",
        "        .where(condition)\n",
        (f"{VERBS}test_eve_finds_none_of_adas", f"{TOOLS}test_another_users_number_is_no_number"),
    ),
    Mutant(
        "a reminder that was missed says nothing of it",
        "models/reminders/firing.py",
        "        missed, following = recurrence.count_between(rule, zone, scheduled, now)\n",
        "        _, following = recurrence.count_between(rule, zone, scheduled, now)\n",
        (f"{FIRING}test_what_was_missed_while_all_was_down_is_said_once",),
    ),
    Mutant(
        "an hour that comes twice counts the second time",
        "models/reminders/recurrence.py",
        "tzinfo=zone, fold=0)",
        "tzinfo=zone, fold=1)",
        (
            f"{RULES}test_an_hour_that_is_skipped_in_spring_comes_an_hour_later",
            f"{RULES}test_an_hour_that_comes_twice_in_autumn_counts_once",
        ),
    ),
    Mutant(
        "the 31st skips shorter months",
        "models/reminders/recurrence.py",
        "min(recurrence.month_day, last.day)",
        "recurrence.month_day",
        (f"{RULES}test_the_31st_is_the_last_day_of_a_shorter_month",),
    ),
    Mutant(
        "a recurrence goes on after its last day",
        "models/reminders/recurrence.py",
        "        if recurrence.until is not None and day > recurrence.until:\n",
        "        if False:\n",
        (f"{RULES}test_the_last_day_counts_and_no_later_one",),
    ),
    Mutant(
        "what repeats stays in the zone that its user has left",
        "models/reminders/zone_changes.py",
        "        was, reminder.timezone = zone_of(reminder.timezone), user.timezone\n",
        "        was = zone_of(reminder.timezone)\n",
        (f"{VERBS}test_what_repeats_follows_its_user_to_another_zone",),
    ),
    Mutant(
        "a tool works without a turn",
        "agent/tools/server.py",
        "        self._turn = None\n\n    async def listen",
        "        pass\n\n    async def listen",
        (f"{PORT}test_after_its_turn_nothing_is_done",),
    ),
    Mutant(
        "a tool works for a turn that was lost",
        "tasks/worker/tools/access.py",
        "jobs.lock_held(db, turn.job_id, turn.attempt)",
        "jobs.lock_held(db, turn.job_id, 1)",
        (f"{TOOLS}test_a_turn_that_was_lost_does_nothing",),
    ),
    Mutant(
        "anybody finds what anybody said",
        "models/chat/search.py",
        "        WHERE messages.user_id = :user_id AND conversations",
        "        WHERE conversations",
        (f"{TOOLS}test_any_word_in_any_form_is_found_and_not_the_question_itself",),
    ),
    Mutant(
        "what is due is put off when its user moves",
        "models/reminders/zone_changes.py",
        " and planned > now:",
        ":",
        (f"{VERBS}test_what_is_due_fires_though_its_user_has_moved",),
    ),
    Mutant(
        "the last Friday becomes the fourth when the words are changed",
        "models/reminders/choices.py",
        "    return replace(wanted, weekdays=old.weekdays, **of_month)\n",
        "    return wanted\n",
        (f"{VERBS}test_what_cannot_be_chosen_stays_while_the_day_does",),
    ),
    Mutant(
        "what was skipped comes in another zone",
        "models/reminders/zone_changes.py",
        "zone, max(now, its_day))",
        "zone, now)",
        (f"{VERBS}test_what_was_skipped_stays_so_in_another_zone",),
    ),
    Mutant(
        "a last time that is over on the new clocks is lost",
        "models/reminders/zone_changes.py",
        "now) or planned)",
        "now))",
        (f"{VERBS}test_a_last_time_that_is_over_on_the_new_clocks_still_comes",),
    ),
    Mutant(
        "what is done rings all the same as it was snoozed",
        "models/reminders/reminders.py",
        "    if reminder.snoozed_until is not None:\n        reminder.snoozed_until = None\n",
        "    if False:\n        reminder.snoozed_until = None\n",
        (f"{VERBS}test_what_is_done_rings_no_more_as_it_was_snoozed",),
    ),
    Mutant(
        "what comes on one day of the week stays there when it is moved",
        "tasks/worker/tools/changing.py",
        "    return replace(was, start=start, weekdays=(start.weekday(),))\n",
        "    return replace(was, start=start)\n",
        (f"{TOOLS}test_what_comes_on_one_day_of_the_week_is_moved_to_another",),
    ),
)
