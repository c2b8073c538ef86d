"""Sends the parts of one delivery, and notes each as soon as the messenger has taken it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

import structlog

from actions.channels import answer_files
from channels.base import Channel, ChannelFailed, Trouble
from channels.outbound import Button, OutgoingFile, Part
from models.channels import delivery_claims
from models.channels.delivery_claims import ClaimedDelivery
from models.database import unit_of_work

log = structlog.get_logger()

Rows = Sequence[Sequence[Button]]
Answer = TypeVar("Answer")

# A claimed delivery is nobody else's for so long, unless that is prolonged.
LEASE = timedelta(seconds=60)


class LeaseLost(Exception):
    """Another process has the delivery by now."""


@dataclass
class PartSender:
    """What has been sent of a delivery so far, and the way to send more."""

    claimed: ClaimedDelivery
    channel: Channel
    preview_id: str | None = field(init=False)
    sent_ids: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.preview_id, self.sent_ids = self.claimed.preview_id, self.claimed.sent_ids

    def preview(self, part: Part, rows: Rows) -> None:
        """Show what there is of an answer, in a message that grows. Raises ChannelFailed."""
        if self.preview_id is None:
            self._note_preview(self._send(part, rows))
            return
        try:
            self._edit(self.preview_id, part, rows)
        except ChannelFailed as failure:
            if failure.trouble is not Trouble.MESSAGE_GONE:
                raise
            self._note_preview(None)

    def send_all(self, parts: Sequence[Part], rows: Rows = ()) -> None:
        """Send what is still to be sent; the first part takes the place of the preview.

        Buttons stand below the last. Raises ChannelFailed, and LeaseLost.
        """
        for at, part in enumerate(parts[len(self.sent_ids) :], start=len(self.sent_ids)):
            below = rows if at == len(parts) - 1 else ()
            message_id = self._replace(part, below) if at == 0 else self._send(part, below)
            self._note_sent(message_id)

    def send_files(self, files: Sequence[Callable[[], OutgoingFile | Part]], after: int) -> None:
        """Send what is still to be sent of an answer's files, which follow `after` parts of words.

        Each is fetched when its turn comes; one that the messenger does not take, or that has gone,
        is a sentence. Raises ChannelFailed, and LeaseLost.
        """
        for fetch in files[max(len(self.sent_ids) - after, 0) :]:
            fetched = fetch()
            is_part = isinstance(fetched, Part)
            self._note_sent(self._send(fetched, ()) if is_part else self._send_file(fetched))

    def _send_file(self, file: OutgoingFile) -> str:
        try:
            return self.channel.send_file(self.claimed.address, file)
        except ChannelFailed as failure:
            if failure.trouble not in {Trouble.FILE_TOO_LARGE, Trouble.REFUSED}:
                raise
            log.warning("delivery.file_refused", delivery_id=str(self.claimed.id))
            return self._send(self.channel.render(answer_files.not_sent(file.name))[0], ())

    def _replace(self, part: Part, rows: Rows) -> str:
        if self.preview_id is not None:
            try:
                self._edit(self.preview_id, part, rows)
            except ChannelFailed as failure:
                if failure.trouble is not Trouble.MESSAGE_GONE:
                    raise
            else:
                return self.preview_id
        return self._send(part, rows)

    def _send(self, part: Part, rows: Rows) -> str:
        return self._plainly(
            part, lambda given: self.channel.send(self.claimed.address, given, rows=rows)
        )

    def _edit(self, message_id: str, part: Part, rows: Rows) -> None:
        self._plainly(
            part,
            lambda given: self.channel.edit(self.claimed.address, message_id, given, rows=rows),
        )

    def _plainly(self, part: Part, call: Callable[[Part], Answer]) -> Answer:
        """Leave formatting out that the messenger refuses: the words must arrive."""
        try:
            return call(part)
        except ChannelFailed as failure:
            if failure.trouble is not Trouble.BAD_FORMATTING or not part.formatting:
                raise
            log.warning("delivery.unformatted", delivery_id=str(self.claimed.id))
            return call(Part(part.text))

    def _note_preview(self, message_id: str | None) -> None:
        self.preview_id = message_id
        with unit_of_work() as db:
            delivery_claims.note_preview(db, self.claimed, message_id)

    def _note_sent(self, message_id: str) -> None:
        self.sent_ids = (*self.sent_ids, message_id)
        with unit_of_work() as db:
            if not delivery_claims.note_sent(db, self.claimed, self.sent_ids, LEASE):
                raise LeaseLost
