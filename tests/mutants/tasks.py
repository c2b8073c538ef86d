"""Faults in tasks, lists and calendars: begun twice, beyond their cap, before people, another's."""

from tests.mutants.mutant import Mutant

RUNS = "tests/actions/test_task_runs.py::"
TOOLS = "tests/tasks/worker/tools/test_tools.py::"
LISTS = "tests/webapp/reminders/test_lists.py::"
CALENDARS = "tests/actions/test_calendar_import.py::"

MUTANTS = (
    Mutant(
        "a task that found no credits is told of every time",
        "models/reminders/task_runs.py",
        "        db, fired.reminder_id, refusal, before=fired.id\n",
        "        db, fired.reminder_id, refusal + '', before=fired.reminder_id\n",
        (f"{RUNS}test_one_that_runs_dry_is_told_once_and_waits_for_nothing",),
    ),
    Mutant(
        "a task is begun whether or not it is still due",
        "models/reminders/task_runs.py",
        "reminder.due_at is not None and reminder.due_at <= now",
        "True",
        (f"{RUNS}test_clocks_at_the_same_time_begin_each_once",),
    ),
    Mutant(
        "the tasks of a day cost what they like",
        "models/reminders/task_runs.py",
        "    if left < limits.LEAST_LIMIT_MICROS:\n        raise TaskLimitReached\n",
        "",
        (f"{RUNS}test_all_tasks_of_a_day_cost_no_more_than_their_limit",),
    ),
    Mutant(
        "a task that is not over counts nothing yet",
        "models/reminders/task_runs.py",
        "    left = most - spent - int(db.scalar(open_ones) or 0)\n",
        "    left = most - spent\n",
        (f"{RUNS}test_all_tasks_of_a_day_cost_no_more_than_their_limit",),
    ),
    Mutant(
        "a task is begun without credits",
        "actions/task_runs.py",
        "    if jobs.is_paused(db, user):\n        raise ledger.OutOfCredit\n",
        "",
        (f"{RUNS}test_without_credits_it_is_told_once_that_nothing_was_done",),
    ),
    Mutant(
        "a task goes before people who wait",
        "models/schema/jobs.py",
        "JobOrigin.TASK: 10}",
        "JobOrigin.TASK: 0}",
        (f"{RUNS}test_people_who_wait_go_before_tasks",),
    ),
    Mutant(
        "what has nothing to tell is told",
        "models/reminders/task_runs.py",
        "        keys = _take_back(db, fired, job)\n        asked = None\n",
        "        asked.is_hidden = False\n",
        (f"{RUNS}test_what_has_nothing_to_tell_leaves_no_word",),
    ),
    Mutant(
        "what is hidden is shown",
        "models/chat/history.py",
        "            ~said.c.is_hidden,\n",
        "",
        (f"{RUNS}test_what_has_nothing_to_tell_leaves_no_word",),
    ),
    Mutant(
        "what came of a task is told again and again",
        "models/reminders/task_runs.py",
        ".where(ReminderFiring.id == firing_id, ReminderFiring.outcome == FiringOutcome.RUNNING)",
        ".where(ReminderFiring.id == firing_id)",
        (f"{RUNS}test_those_who_tell_at_once_tell_it_once",),
    ),
    Mutant(
        "a task sets tasks",
        "tasks/worker/tools/reminders.py",
        "caller.job.origin is JobOrigin.TASK",
        "False",
        (f"{TOOLS}test_a_task_is_set_and_sets_no_other",),
    ),
    Mutant(
        "a task lets itself come again",
        "tasks/worker/tools/changing.py",
        'LETTING_IT_COME = {"edit", "snooze", "resume"}',
        "LETTING_IT_COME = set[str]()",
        (f"{TOOLS}test_a_task_lets_no_task_come_again",),
    ),
    Mutant(
        "a task goes on when its user has deleted it",
        "models/reminders/deletion.py",
        "        job = cancel(db, user_id, job_id)\n",
        "        job = db.get_one(Job, job_id)\n",
        (f"{RUNS}test_a_task_that_is_deleted_is_stopped_and_shown",),
    ),
    Mutant(
        "anybody ticks off what is on anybody's list",
        "models/lists.py",
        "select(ListItem).where(ListItem.user_id == user_id, ListItem.id == item_id)",
        "select(ListItem).where(ListItem.id == item_id)",
        (f"{LISTS}test_eve_sees_and_changes_nothing_of_adas",),
    ),
    Mutant(
        "anybody clears anybody's list",
        "models/lists.py",
        "delete(ListItem).where(ListItem.user_id == user_id, ListItem",
        "delete(ListItem).where(ListItem",
        (f"{TOOLS}test_lists_answer_with_what_stands_there",),
    ),
    Mutant(
        "anybody finds the reminder that said anything",
        "models/reminders/queries.py",
        "    return _found(db, user_id, _of_firing(ReminderFiring.message_id == message_id))\n",
        "    return db.scalars(\n"
        "        select(Reminder).where(_of_firing(ReminderFiring.message_id == message_id))\n"
        "    ).one()\n",
        ("tests/webapp/reminders/test_reminders.py::test_what_was_said_to_ada_is_not_eves",),
    ),
    Mutant(
        "a calendar's rule that is not known is taken for another",
        "models/reminders/rules.py",
        "    if freq not in KNOWN or not set(parts) <= KNOWN[freq]:\n",
        "    if freq not in KNOWN:\n",
        (f"{CALENDARS}test_hostile_rules_are_refused_at_once",),
    ),
    Mutant(
        "what takes whole days ends a day early",
        "actions/calendar_import.py",
        ", None if event.is_day else clock)",
        ", clock)",
        (f"{CALENDARS}test_what_takes_whole_days_ends_on_one_wherever_its_user_is",),
    ),
    Mutant(
        "weeks that begin on another day are taken for ours",
        "models/reminders/rules.py",
        "{day >= begins_on for day in (*weekdays, start.weekday())}",
        "{day >= 0 for day in (*weekdays, start.weekday())}",
        (f"{CALENDARS}test_weeks_that_begin_on_sunday_are_refused_where_that_matters",),
    ),
    Mutant(
        "an assistant that gives a reminder a condition sets it twice",
        "models/reminders/queries.py",
        '(as_kept(tell_only_if) if kind is ReminderKind.TASK else "")',
        "as_kept(tell_only_if)",
        ("tests/tasks/worker/tools/test_tools.py::test_a_task_is_set_and_sets_no_other",),
    ),
    Mutant(
        "an end is told by the clocks of whoever reads it",
        "models/reminders/rules.py",
        "        begins = recurrence.moment(start, zone).astimezone(clock) if clock else None\n",
        "        begins = recurrence.moment(start, zone).astimezone(zone) if clock else None\n",
        (f"{CALENDARS}test_an_end_is_told_by_the_clocks_of_its_event",),
    ),
)
