"""Why the embedded stack could not do what it was asked."""

import errno

_CAUSES = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the folder is read-only",
    errno.EACCES: "this user may not write there",
    errno.EPERM: "this user may not do that",
}


class CannotStart(Exception):
    """Something outside the program is in the way; the message is one sentence for the person."""


def in_one_sentence(trouble: OSError) -> str:
    """Say what the system refused, and where, without a traceback."""
    cause = _CAUSES.get(trouble.errno or 0, trouble.strerror or str(trouble))
    where = f"{trouble.filename}: " if trouble.filename else ""
    return f"Cannot go on: {where}{cause}."
