"""Why a note is refused."""

from models.errors import Refused


class BadNote(Refused):
    """A note says nothing, or has more characters than `most`."""

    code = "bad_note"


class TooManyNotes(Refused):
    """A user has as many notes as one may have: `most`."""

    code = "too_many_notes"


class TooManyDeleted(TooManyNotes):
    """A user has deleted so many notes within the hour that they note nothing until some go."""

    code = "too_many_deleted_notes"


class NoteDeleted(Refused):
    """A note is deleted: it can be restored, and changed after that."""

    code = "note_deleted"


class NotedAgain(Refused):
    """What a deleted note said has been noted again, so there is nothing to restore."""

    code = "noted_again"


class NotRemembered(Refused):
    """A conversation is not to be remembered, so nothing is noted in it."""

    code = "not_remembered"
