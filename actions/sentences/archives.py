"""What a user is told of an archive that came in."""

from actions.archives.importing import Imported
from models.memory.notes import MOST_NOTES
from models.translation import gettext, listed, ngettext


def imported(found: Imported) -> str:
    """Say what came, and what is not in use."""
    told = [*_counted(found), *_besides(found)]
    return " ".join(told) or gettext("Nothing in it was new.")


def _counted(found: Imported) -> list[str]:
    parts = [
        *_some("%(num)s conversation", "%(num)s conversations", found.conversations),
        *_some("%(num)s note", "%(num)s notes", found.notes),
        *_some("%(num)s file", "%(num)s files", found.files),
    ]
    return [gettext("Imported: %(parts)s.", parts=listed(parts))] if parts else []


def _some(one: str, many: str, number: int) -> list[str]:
    return [ngettext(one, many, number)] if number else []


def _besides(found: Imported) -> list[str]:
    told: list[str] = []
    if found.files:
        told.append(gettext("Your assistant gets the files with your next message."))
    if found.left_out:
        most = f"{MOST_NOTES:,}"
        told.append(gettext("There was no room for all notes: you may have %(most)s.", most=most))
    if found.set_aside:
        told.append(
            gettext("Some would change how it works: you find them on the page of your files.")
        )
    return told
