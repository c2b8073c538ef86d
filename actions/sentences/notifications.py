"""What a user can be told of, and by which ways, as they read it."""

from collections.abc import Mapping

from channels import registry
from models.notifications.preferences import EMAIL, PUSH
from models.schema.notifications import Topic
from models.translation import gettext, marked

TOPICS: Mapping[Topic, tuple[str, str]] = {
    Topic.REMINDERS: (
        marked("Reminders"),
        marked("At the time that you set, in quiet hours too."),
    ),
    Topic.TASKS: (
        marked("Results of tasks"),
        marked("What came of a task, or why it was not begun."),
    ),
    Topic.ALERTS: (
        marked("Credits and limits"),
        marked("Credits run low, a limit is near, a top-up fails. At least one way."),
    ),
    Topic.LONG_WORK: (
        marked("Finished work"),
        marked("Long answers, research and exports, when you were not watching."),
    ),
}
WAYS: Mapping[str, str] = {EMAIL: marked("E-mail"), PUSH: marked("Push")}


def topic(of: Topic) -> tuple[str, str]:
    """Name a topic, and say what belongs to it."""
    name, meaning = TOPICS[of]
    return gettext(name), gettext(meaning)


def way(name: str) -> str:
    """Name a way; a messenger goes by its own name."""
    return gettext(WAYS[name]) if name in WAYS else registry.label_of(name)
