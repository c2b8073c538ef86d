"""Mails as files: one message each, named by the order in which they came."""

import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import cast

# Who tries things out for a year should not fill a disk.
MOST_KEPT = 2000


@dataclass(frozen=True)
class KeptMail:
    """A mail as the page shows it."""

    id: str
    arrived_at: datetime
    sender: str
    recipient: str
    subject: str
    text: str
    html: str


class MailFolder:
    """A folder of messages, which nobody else can read. Only one process writes into it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)

    def keep(self, message: bytes) -> str:
        """Keep a message, safe on the disk when this returns; return its name."""
        name = f"{time.time_ns():020d}"
        aside = self._path / f"{name}.part"
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        aside.rename(self._path / f"{name}.eml")
        for old in self._names()[MOST_KEPT:]:
            (self._path / f"{old}.eml").unlink(missing_ok=True)
        return name

    def latest(self, count: int = 200, *, recipient: str = "") -> list[KeptMail]:
        """List mails, newest first; all of them, or those of one recipient."""
        found: list[KeptMail] = []
        for name in self._names():
            mail = self.find(name)
            if mail and recipient.lower() in ("", mail.recipient.lower()):
                found.append(mail)
            if len(found) == count:
                break
        return found

    def find(self, name: str) -> KeptMail | None:
        """Read one mail; None if there is none of that name."""
        path = self._path / f"{name}.eml"
        # The name comes from an address that anybody may type.
        if not (name.isascii() and name.isdigit()) or not path.exists():
            return None
        message = BytesParser(policy=policy.default).parsebytes(path.read_bytes())
        return KeptMail(
            id=name,
            arrived_at=datetime.fromtimestamp(int(name) / 1e9, UTC),
            sender=str(message["From"] or ""),
            recipient=str(message["To"] or ""),
            subject=str(message["Subject"] or "(no subject)"),
            text=_part(message, "plain"),
            html=_part(message, "html"),
        )

    def empty(self) -> None:
        """Forget all mails."""
        for name in self._names():
            (self._path / f"{name}.eml").unlink(missing_ok=True)

    def _names(self) -> list[str]:
        return sorted((path.stem for path in self._path.glob("*.eml")), reverse=True)


def _part(message: EmailMessage, kind: str) -> str:
    body = message.get_body((kind,))
    return cast(str, body.get_content()) if body is not None else ""
