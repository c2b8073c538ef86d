"""Lists of users: putting things on them, ticking off, clearing. A list is called by its name.

Whoever adds holds the lock of the account, so a user's lists grow no further than they may.
"""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models import database, ledger
from models.base import new_id
from models.errors import NotFound, Refused
from models.schema.lists import ListItem

NAME_MAX_LENGTH = 60
WORDS_MAX_LENGTH = 200
MOST_ITEMS = 1_000
# "shopping list" and "Shopping" are the same.
SUFFIX = " list"


class BadListItem(Refused):
    """A list's name, or what is to stand on it, is empty or too long."""

    code = "bad_list_item"


class TooManyListItems(Refused):
    """A user has as much on their lists as one may have."""

    code = "too_many_list_items"


def named(name: str) -> str:
    """Return a list's name as it is kept; raise BadListItem for none."""
    plain = " ".join(name.split()).lower()
    return _clean(plain.removesuffix(SUFFIX), NAME_MAX_LENGTH)


def add(db: Session, user_id: UUID, name: str, words: Sequence[str]) -> None:
    """Put these on a list, in their order; what stands there, open, is left as it is.

    Raises BadListItem, and TooManyListItems.
    """
    ledger.lock_account(db, user_id)
    key, clean = named(name), [_clean(one, WORDS_MAX_LENGTH) for one in words]
    had = db.scalar(select(func.count()).where(ListItem.user_id == user_id)) or 0
    if had + len(clean) > MOST_ITEMS:
        raise TooManyListItems(most=MOST_ITEMS)
    for one in clean:
        row = {"id": new_id(), "user_id": user_id, "list_name": key, "words": one}
        db.execute(insert(ListItem).values(row).on_conflict_do_nothing())


def show(db: Session, user_id: UUID, name: str | None = None) -> Sequence[ListItem]:
    """List what stands on a user's lists, or on one of them: by list, what is open first."""
    wanted = select(ListItem).where(ListItem.user_id == user_id)
    if name is not None:
        wanted = wanted.where(ListItem.list_name == named(name))
    order = (ListItem.list_name, ListItem.done_at.is_not(None), ListItem.id)
    return db.scalars(wanted.order_by(*order).execution_options(populate_existing=True)).all()


def find_own(db: Session, user_id: UUID, item_id: UUID) -> ListItem:
    """Find one thing on a user's lists and lock it, after the account; NotFound for no such one.

    So nobody adds the same to the list while it is put back there.
    """
    ledger.lock_account(db, user_id)
    wanted = select(ListItem).where(ListItem.user_id == user_id, ListItem.id == item_id)
    item = db.scalar(wanted.with_for_update().execution_options(populate_existing=True))
    if item is None:
        raise NotFound
    return item


def tick(db: Session, item: ListItem, *, is_done: bool) -> None:
    """Tick a locked item off, or put it back; one that stands there anew already goes."""
    if not is_done and _stands(db, item):
        db.delete(item)
    else:
        item.done_at = database.clock(db) if is_done else None
    db.flush()


def tick_words(db: Session, user_id: UUID, name: str, words: Sequence[str]) -> int:
    """Tick off what stands on a list in these words, in any case; return how many it were."""
    wanted = {" ".join(one.split()).casefold() for one in words}
    found = [
        item
        for item in show(db, user_id, name)
        if item.done_at is None and item.words.casefold() in wanted
    ]
    for item in found:
        tick(db, item, is_done=True)
    return len(found)


def clear(db: Session, user_id: UUID, name: str, *, only_done: bool = False) -> None:
    """Delete a list, or what is ticked off on it."""
    wanted = delete(ListItem).where(ListItem.user_id == user_id, ListItem.list_name == named(name))
    db.execute(wanted.where(ListItem.done_at.is_not(None)) if only_done else wanted)


def _stands(db: Session, item: ListItem) -> bool:
    same = select(ListItem.id).where(
        ListItem.user_id == item.user_id,
        ListItem.list_name == item.list_name,
        ListItem.words == item.words,
        ListItem.done_at.is_(None),
    )
    return db.scalar(same) is not None


def _clean(words: str, most: int) -> str:
    clean = " ".join(words.split())
    if not 0 < len(clean) <= most:
        raise BadListItem(most=most)
    return clean
