"""What users read while admins keep messages from being answered, or from being sent."""

from models.ops.switches import Pause
from models.translation import gettext, marked

PAUSED = marked("Answers are paused for a while. Yours comes as soon as they go on.")
MAINTENANCE = marked(
    "We are working on this, so no message can be sent just now. Please try again a little later."
)


def sentence(pause: Pause) -> str:
    """Say why a message waits: in the words of whoever paused it, if they left some."""
    return pause.sentence or gettext(PAUSED)


def maintenance(sentence: str) -> str:
    """Say why nothing can be sent: in the words of whoever switched that, if they left some."""
    return sentence or gettext(MAINTENANCE)
