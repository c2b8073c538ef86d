"""Steps of a messaging process, one at a time, and messengers that refuse."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from channels.base import ChannelFailed, Trouble
from models.channels import delivery_claims
from models.schema.channels import Delivery
from models.schema.jobs import Job
from tasks.messaging import delivering
from tests import factories
from tests.channels.loft import LEASE, Loft

CHAT = "ada-outside"


def claim(db: Session) -> delivery_claims.ClaimedDelivery:
    """The only thing that can be sent now."""
    (claimed,) = delivery_claims.claim(db, ["pigeon"], LEASE, most=5)
    db.commit()
    return claimed


def deliver(loft: Loft, *, is_over: Callable[[], bool] = lambda: False) -> Delivery:
    claimed = claim(loft.db)
    delivering.deliver(claimed, loft.pigeon, is_over)
    return loft.db.get_one(Delivery, claimed.id, populate_existing=True)


def answer(db: Session, job: Job, words: str) -> None:
    factories.answer(db, job, words)
    db.commit()


def once(trouble: Trouble, *, on: str = "send", **rest: Any) -> Callable[[str], None]:
    """Let the first such call fail."""
    left = [ChannelFailed(trouble, **rest)]

    def _mischief(what: str) -> None:
        if what.startswith(on) and left:
            raise left.pop()

    return _mischief


def always(trouble: Trouble, *, on: str = "send") -> Callable[[str], None]:
    def _mischief(what: str) -> None:
        if what.startswith(on):
            raise ChannelFailed(trouble)

    return _mischief
