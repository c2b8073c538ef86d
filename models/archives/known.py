"""What of an archive its user has already: nothing of it is taken a second time."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.archives.imported import SaidElsewhere
from models.base import is_any_of
from models.schema.archives import ImportedFile
from models.schema.chat import Message, Role

# What a message says, who said it, and when: an archive knows the second.
Said = tuple[Role, str, datetime]


def conversations(
    db: Session, user_id: UUID, brought: Sequence[Sequence[SaidElsewhere]]
) -> list[bool]:
    """Tell of each conversation of an archive whether its user has it.

    They may have named it anew and gone on in it since. One that has lost a message is another one.
    """
    mine = _that_begin(db, user_id, {_said(talk[0]) for talk in brought})
    return [_is_any(db, mine[_said(talk[0])], talk) for talk in brought]


def paths(db: Session, user_id: UUID, brought: Collection[str]) -> set[str]:
    """Return those paths of an archive of which its user has brought a file before."""
    mine = select(ImportedFile.path).where(ImportedFile.user_id == user_id)
    return set(db.scalars(mine.where(is_any_of(ImportedFile.path, brought))))


def _that_begin(
    db: Session, user_id: UUID, firsts: Collection[Said]
) -> defaultdict[Said, list[UUID]]:
    """List the conversations of a user that have one of these messages, by it."""
    wanted = {at for _, _, at in firsts}
    second = func.date_trunc("second", Message.created_at)
    mine = (
        select(Message.role, Message.text, Message.created_at, Message.conversation_id)
        .where(Message.user_id == user_id, second.in_(wanted))
        .order_by(Message.id)
    )
    found: defaultdict[Said, list[UUID]] = defaultdict(list)
    for role, text, at, conversation_id in db.execute(mine):
        found[role, text, _second(at)].append(conversation_id)
    return found


def _is_any(db: Session, ids: Iterable[UUID], talk: Sequence[SaidElsewhere]) -> bool:
    wanted = [_said(one) for one in talk]
    return any(_first(db, conversation_id, len(wanted)) == wanted for conversation_id in ids)


def _first(db: Session, conversation_id: UUID, most: int) -> list[Said]:
    here = select(Message.role, Message.text, Message.created_at)
    first = here.where(Message.conversation_id == conversation_id).order_by(Message.id).limit(most)
    return [(role, text, _second(at)) for role, text, at in db.execute(first)]


def _said(one: SaidElsewhere) -> Said:
    return one.role, one.text, _second(one.at)


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)
