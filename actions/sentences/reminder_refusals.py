"""What users read when something about reminders, tasks or lists is refused, by its code."""

from collections.abc import Mapping

from models.translation import marked

REFUSALS: Mapping[str, str] = {
    "bad_calendar_file": marked(
        "This is no calendar file that can be read. Files that end in .ics, up to 1 MB, can."
    ),
    "bad_list_item": marked(
        "Please write what to put on which list, in 1 to %(most)s characters each."
    ),
    "bad_quiet_hours": marked(
        "Quiet hours need a beginning and an end that differ, such as 22:00 and 7:00. Or leave both"
        " empty."
    ),
    "bad_recurrence": marked("These times do not fit together. Please check how often it repeats."),
    "bad_reminder_words": marked("Please say in 1 to %(most)s characters what to remind you of."),
    "bad_snooze": marked("Please choose a time that is still to come, within a year."),
    "calendars_busy": marked("No calendar can be read just now. Please try again in a minute."),
    "no_way_left": marked(
        "News about your credits has to reach you. Please choose at least one way for it."
    ),
    "reminder_over": marked("This reminder is over, so nothing was changed."),
    "reminder_time_over": marked("That time is over already. Please choose one that is to come."),
    "task_limit_reached": marked(
        "Your tasks have cost today what they may. They go on tomorrow; change it in Reminders."
    ),
    "too_many_list_items": marked(
        "Your lists have %(most)s things on them, and no room for more. Clear one first."
    ),
    "too_many_reminders": marked(
        "You have %(most)s reminders already. Please delete some that you no longer need."
    ),
    "unknown_rule": marked("It repeats in a way that reminders do not know."),
}
