"""The price simulator as admins use it."""

from sqlalchemy.orm import Session

from models.base import utc_now
from models.ops import profit
from models.schema.rollups import UserModelMonth, UserMonth
from models.schema.users import User
from tests.webapp.browser import Browser


def test_a_month_is_replayed_beside_the_books(olgas: Browser, db: Session, ada: User) -> None:
    month, _ = profit.month_of(utc_now(), 1)
    db.add(
        UserMonth(
            user_id=ada.id, begins_at=month, revenue_micros=600_000, cost_micros=360_000,
            moved_micros=20_000,
        )
    )  # fmt: skip
    db.add(
        UserModelMonth(
            user_id=ada.id, begins_at=month, model="demo/demo", margin_percent=40, calls=1,
            tokens_in=100, cost_micros=360_000, charged_micros=600_000,
        )
    )  # fmt: skip
    db.commit()
    page = olgas.read("/admin/simulator?margin=50")
    assert "$0.62" in page
    assert "would have had $0.10 too little" in page
    as_it_was = olgas.read("/admin/simulator?margin=&grant=&cached=&model=")
    assert "Nobody who did not run dry then." in as_it_was
    written = olgas.get("/admin/simulator.csv?margin=50").text.splitlines()
    assert written[0] == "what,books_usd,replayed_usd"
    assert f"Missing: {ada.email},,0.1" in written
    # By the demo model's price of $0.05 a million tokens read, and $0.50 otherwise.
    assert "$0.00005" in olgas.read("/admin/simulator?cached=0").replace("$0.000050", "$0.00005")


def test_what_cannot_be_read_stays_as_it_was(olgas: Browser) -> None:
    for query in ("margin=99&cached=101", "margin=x&grant=-5&model=none/such", "back=99"):
        assert "Nobody who did not run dry then." in olgas.read(f"/admin/simulator?{query}")
