"""A chat in a messenger, with the user that it belongs to."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from actions import wakeups
from actions.announcements import Publisher
from actions.channels.notices import Notice
from channels.base import Channel
from channels.inbound import Sender
from models.channels import accounts, deliveries
from models.channels.deliveries import Recipient
from models.database import after_commit
from models.schema.channels import ChannelAccount, ChannelUpdate
from models.schema.users import User


@dataclass(frozen=True)
class Chat:
    """Where an update came from; `account` and `user` are None as long as it is nobody's."""

    db: Session
    channel: Channel
    publisher: Publisher
    sender: Sender
    update: ChannelUpdate
    account: ChannelAccount | None
    user: User | None

    @property
    def recipient(self) -> Recipient:
        if self.account is not None:
            return Recipient.of(self.account)
        return Recipient(self.channel.name, self.sender.address)

    def say(self, notice: Notice) -> None:
        """Answer with a sentence; once for each update and code, however often it is handled."""
        reference = f"notice:{self.update.id}:{notice.code}"
        deliveries.notify(self.db, self.recipient, notice.as_content(), reference=reference)
        after_commit(self.db, wakeups.messengers)


def open_chat(
    db: Session, channel: Channel, publisher: Publisher, sender: Sender, update: ChannelUpdate
) -> Chat:
    """Find whose chat it is; a user who writes is reachable again."""
    account = accounts.find_outside(db, channel.name, sender.account_id)
    if account is None:
        return Chat(db, channel, publisher, sender, update, None, None)
    account.address, account.blocked_at = sender.address, None
    user = db.get_one(User, account.user_id)
    return Chat(db, channel, publisher, sender, update, account, user)


def tell_user(db: Session, account: ChannelAccount, notice: Notice, *, reference: str) -> None:
    """Say something in a linked messenger, once for each `reference`."""
    deliveries.notify(db, Recipient.of(account), notice.as_content(), reference=reference)
    after_commit(db, wakeups.messengers)
