"""What can be read of a stored file at a glance: its beginning, as plain text."""

import structlog

from actions.attachments import storage
from gateways.s3_files import NotStored, StorageFailed
from models.chat.files import UserFile
from models.schema.users import User
from untrusted import reading
from untrusted.helper import Failed, Patience
from untrusted.reading import Unreadable

log = structlog.get_logger()

SHOWN_CHARS = 20_000
# Nobody looks at a page that does not come.
SECONDS = 5.0
# Beside text/*.
TEXTS = {"application/json", "application/xml", "application/javascript", reading.PDF}


def read(user: User, file: UserFile) -> tuple[str, bool]:
    """Return the first words of a file, and whether there are more; none of what has none.

    A helper reads them: call it while no connection is held.
    """
    if not (file.media_type.startswith("text/") or file.media_type in TEXTS):
        return "", False
    try:
        data = storage().get(file.storage_key)
        return reading.text_of(
            data,
            file.media_type,
            most_chars=SHOWN_CHARS,
            owner=user.id,
            patience=Patience(SECONDS),
        )
    except (NotStored, StorageFailed, Unreadable, Failed) as error:
        log.info("file.not_previewed", why=str(error))
        return "", False
