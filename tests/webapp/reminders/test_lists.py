"""Lists are their user's alone, bounded, and ticked off without scripts."""

import pytest
import sqlalchemy as sa
from sqlalchemy import select
from sqlalchemy.orm import Session

from models import lists
from models.database import unit_of_work
from models.lists import TooManyListItems
from models.schema.lists import ListItem
from models.schema.users import User
from tests import factories
from tests.locks import raised_while
from tests.webapp.browser import Browser


def _only(db: Session) -> ListItem:
    db.expire_all()
    return db.scalars(select(ListItem)).one()


def test_a_thing_is_added_once_ticked_off_and_removed(adas: Browser, db: Session) -> None:
    assert "Nothing on a list yet" in adas.read("/lists")
    for name in ("Shopping list", "shopping"):
        assert adas.post("/lists", {"list": name, "words": "Milk <b>"}).status_code == 303
    assert "Milk &lt;b&gt;" in adas.get("/lists").text
    adas.post(f"/lists/{_only(db).id}/tick")
    assert 'aria-checked="true"' in adas.read("/lists")
    adas.post(f"/lists/{_only(db).id}/tick")
    assert _only(db).done_at is None
    adas.post("/lists/clearing", {"list": "shopping"})
    adas.post(f"/lists/{_only(db).id}/tick")
    adas.post("/lists/clearing", {"list": "shopping"})
    assert db.scalars(select(ListItem)).all() == []


@pytest.mark.parametrize("odd", [{"words": ""}, {"list": " "}, {"words": "a\u202eb"}])
def test_nonsense_is_refused_and_what_was_typed_stays(adas: Browser, odd: dict[str, str]) -> None:
    answer = adas.post("/lists", {"list": "Packing", "words": "Socks", **odd})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text


def test_eve_sees_and_changes_nothing_of_adas(eves: Browser, db: Session, ada: User) -> None:
    lists.add(db, ada.id, "shopping", ["Caviar"])
    db.commit()
    assert "Caviar" not in eves.read("/lists")
    assert eves.post(f"/lists/{_only(db).id}/tick").status_code == 404
    eves.post("/lists/clearing", {"list": "shopping"})
    assert _only(db).done_at is None


def test_what_stands_there_anew_is_not_put_back_beside_it(db: Session, ada: User) -> None:
    lists.add(db, ada.id, "shopping", ["Milk"])
    lists.tick_words(db, ada.id, "shopping", ["MILK"])
    lists.add(db, ada.id, "shopping", ["Milk"])
    done = next(one for one in lists.show(db, ada.id) if one.done_at)
    lists.tick(db, done, is_done=False)
    assert len(lists.show(db, ada.id)) == 1


@pytest.mark.usefixtures("emptied")
def test_what_is_put_back_waits_for_who_adds_it_anew(engine: sa.Engine) -> None:
    with unit_of_work() as db:
        owner = factories.user(db, "grace@example.org").id
        lists.add(db, owner, "shopping", ["Milk"])
        lists.tick_words(db, owner, "shopping", ["Milk"])
        (done,) = [one.id for one in lists.show(db, owner)]

    def _add(db: Session) -> None:
        lists.add(db, owner, "shopping", ["Milk"])

    def _put_back(db: Session) -> None:
        lists.tick(db, lists.find_own(db, owner, done), is_done=False)

    assert raised_while(engine, _add, _put_back) is None
    with unit_of_work() as db:
        (left,) = lists.show(db, owner)
        assert (left.words, left.done_at) == ("Milk", None)


def test_there_is_an_end_to_it(db: Session, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST_ITEMS", 2)
    lists.add(db, ada.id, "shopping", ["Milk", "Tea"])
    with pytest.raises(TooManyListItems):
        lists.add(db, ada.id, "packing", ["Socks"])
