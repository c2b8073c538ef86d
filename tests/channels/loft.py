"""Where pigeons come home: what users do in their messenger, and what waits to be sent to them."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions.announcements import StreamPublisher
from actions.channels import receiving
from channels.inbound import (
    ButtonPressed,
    CommandGiven,
    FileKind,
    InboundFile,
    MessageArrived,
    MessageEdited,
    ReachChanged,
    Sender,
    Update,
)
from models.channels import accounts, delivery_claims, updates
from models.schema.channels import ChannelAccount, ChannelUpdate, Delivery, DeliveryStatus
from models.schema.chat import Message, Role
from models.schema.jobs import Job
from models.schema.users import User
from tasks.messaging import delivering
from tasks.messaging import receiving as process
from tests.channels.pigeon import Pigeon

LEASE = timedelta(minutes=1)


@dataclass
class Loft:
    """One messenger account at a time writes; `at` says which and gives its hand."""

    db: Session
    pigeon: Pigeon
    last_number: int = 0

    def at(self, account_id: str) -> "Hand":
        return Hand(self, account_id)

    def link(self, user: User, account_id: str) -> ChannelAccount:
        account = accounts.link(self.db, user.id, "pigeon", account_id, account_id, "A. Bird")
        self.db.commit()
        return account

    def receive(self, *come: Update) -> None:
        """Take updates in, as the webhook does."""
        receiving.receive(self.db, self.pigeon, come, StreamPublisher())
        self.db.commit()

    def work(self, *, only_due: bool = False) -> None:
        """Do what the messaging process does until nothing is left that could be done now."""
        for _ in range(50):
            if not only_due:
                self.make_due()
            come = updates.claim(self.db, ["pigeon"], process.LEASE, most=10)
            due = delivery_claims.claim(self.db, ["pigeon"], LEASE, most=10)
            self.db.commit()
            for update in come:
                process.handle(update, self.pigeon)
            for delivery in due:
                delivering.deliver(delivery, self.pigeon, lambda: False)
            self.db.expire_all()
            if not come and not due:
                return
        raise AssertionError("there is no end to it")

    def make_due(self) -> None:
        """Let the time pass that anything waits for."""
        for table in (ChannelUpdate, Delivery):
            self.db.execute(
                sa.update(table)
                .where(table.status == "waiting", table.ready_at > sa.func.clock_timestamp())
                .values(ready_at=sa.func.clock_timestamp())
            )
        past = ChannelUpdate.received_at - timedelta(minutes=1)
        waiting = ChannelUpdate.status == "waiting"
        self.db.execute(sa.update(ChannelUpdate).where(waiting).values(received_at=past))
        self.db.commit()

    def notices(self) -> list[str]:
        """The codes of what is to be said, and was not said yet, in order."""
        wanted = sa.select(Delivery.content["code"].astext).where(
            Delivery.kind == "notice", Delivery.status == DeliveryStatus.WAITING
        )
        return list(self.db.scalars(wanted.order_by(Delivery.number)))

    def notice(self, code: str) -> dict[str, Any]:
        """What is to be said under this code."""
        wanted = sa.select(Delivery.content).where(Delivery.content["code"].astext == code)
        return self.db.scalars(wanted.order_by(Delivery.number.desc()).limit(1)).one()

    def statuses(self) -> list[str]:
        """What became of all that came in."""
        wanted = sa.select(ChannelUpdate.status).order_by(ChannelUpdate.place)
        return [str(status) for status in self.db.scalars(wanted)]

    def messages(self) -> list[str]:
        """What users have said."""
        wanted = sa.select(Message.text).where(Message.role == Role.USER).order_by(Message.id)
        return list(self.db.scalars(wanted.execution_options(populate_existing=True)))

    def jobs(self) -> list[Job]:
        wanted = sa.select(Job).order_by(Job.id).execution_options(populate_existing=True)
        return list(self.db.scalars(wanted))


@dataclass
class Hand:
    """Somebody's hand on their messenger. What it does comes in at once."""

    loft: Loft
    account_id: str
    name: str = "A. Bird"

    def write(self, text: str, *, at: int | None = None, **rest: Any) -> Update:
        number = at or self._next()
        message = MessageArrived(sender=self.sender, message_id=f"m{number}", text=text, **rest)
        return self._send(message, number)

    def send_file(self, file_id: str, text: str = "", **rest: Any) -> Update:
        beside = {name: rest.pop(name, None) for name in ("group_id", "at", "written_at")}
        known: dict[str, Any] = {
            "kind": FileKind.DOCUMENT,
            "name": f"{file_id}.txt",
            "media_type": "text/plain",
        }
        files = (InboundFile(id=file_id, **{**known, **rest}),)
        return self.write(text, files=files, **beside)

    def edit(self, of: Update, text: str) -> Update:
        assert isinstance(of.inbound, MessageArrived)
        edited = MessageEdited(sender=self.sender, message_id=of.inbound.message_id, text=text)
        return self._send(edited)

    def command(self, name: str, argument: str = "") -> Update:
        number = self._next()
        given = CommandGiven(
            sender=self.sender, message_id=f"m{number}", name=name, argument=argument
        )
        return self._send(given, number)

    def press(self, data: str) -> Update:
        number = self._next()
        pressed = ButtonPressed(
            sender=self.sender, message_id="1", data=data, press_id=f"press-{number}"
        )
        return self._send(pressed, number)

    def block(self, *, back: bool = False) -> Update:
        return self._send(ReachChanged(sender=self.sender, is_reachable=back))

    @property
    def sender(self) -> Sender:
        return Sender(account_id=self.account_id, address=self.account_id, name=self.name)

    def make(self, inbound: Any, number: int) -> Update:
        return Update(external_id=f"u{number}", number=number, inbound=inbound)

    def _send(self, inbound: Any, number: int | None = None) -> Update:
        update = self.make(inbound, number or self._next())
        self.loft.receive(update)
        return update

    def _next(self) -> int:
        self.loft.last_number += 1
        return self.loft.last_number


def update_id(db: Session, update: Update) -> UUID:
    """The row under which an update is known."""
    wanted = sa.select(ChannelUpdate.id).where(ChannelUpdate.external_id == update.external_id)
    return db.scalars(wanted).one()
