"""Refunds, approvals and bulk orders, as admins give them on their pages."""

import re
from collections.abc import Callable
from uuid import uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from actions import bulk_jobs, wakeups
from models import jobs
from models.ops import adjustment_approvals
from models.schema.admins import AdminRole
from models.schema.bulk_orders import BulkOrder
from models.schema.failure_codes import FailureCode
from models.schema.jobs import Job, JobStatus
from models.schema.refund_orders import RefundOrder
from models.schema.users import User
from tests import factories
from tests.payments import TEN, bought
from tests.webapp.browser import Browser

FORM = {"reason": "It was asked for.", "confirmed": "yes"}


def form(**given: str) -> dict[str, str]:
    return {**FORM, "key": str(uuid4()), **given}


def hidden(page: str, name: str) -> str:
    """What a form sends along."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found
    return found[1]


def test_a_refund_is_ordered_once_and_stripe_is_asked_after_that(
    olgas: Browser, db: Session, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(wakeups, "refund", asked.append)
    payment = bought(db, ada)
    path = f"/admin/payments/{payment.id}/refund"
    assert "Refund the payment of" in olgas.read(f"/admin/people/{ada.id}")
    for wrong in ("11", "x", "0", "-1"):
        assert olgas.post(path, form(amount=wrong)).status_code == 422
    given = form(amount="2.50")
    for _ in range(2):
        assert olgas.post(path, given).status_code == 303
    (order,) = db.scalars(sa.select(RefundOrder))
    assert (order.back_micros, asked) == (2_500_000, [order.id])
    page = olgas.read(f"/admin/people/{ada.id}")
    assert "Stripe has not answered yet" in page
    assert "all $7.50" in page
    assert olgas.post(path, form()).status_code == 303
    assert sorted(db.scalars(sa.select(RefundOrder.back_micros))) == [2_500_000, TEN - 2_500_000]
    assert olgas.post(f"/admin/payments/{uuid4()}/refund", form()).status_code == 404


def test_a_large_adjustment_is_approved_by_another_owner_on_a_page_of_its_own(
    olgas: Browser, db: Session, ada: User, log_in: Callable[[User], Browser]
) -> None:
    before = ada.credits_balance_micros
    otto = factories.user(db, "otto@example.org", name="Otto")
    otto.admin_role = AdminRole.OWNER
    db.commit()
    ottos = log_in(otto)
    asked = olgas.post(f"/admin/people/{ada.id}/credits", form(amount="200", direction="give"))
    assert asked.status_code == 303
    assert "another owner has to approve" in olgas.read(f"/admin/people/{ada.id}")
    (waiting,) = adjustment_approvals.list_open(db)
    path = f"/admin/approvals/{waiting.id}"
    assert olgas.post(path, form(decision="approve")).status_code == 422
    assert "$200.00" in ottos.read("/admin/approvals")
    given = form(decision="approve")
    for _ in range(2):
        assert ottos.post(path, given).status_code == 303
    db.refresh(ada)
    assert ada.credits_balance_micros == before + 200_000_000
    assert "Nothing waits" in ottos.read("/admin/approvals")
    assert ottos.post(path, form(decision="refuse")).status_code == 422


def test_the_number_is_shown_before_all_are_stopped(
    sams: Browser, vics: Browser, db: Session, ada: User, eve: User
) -> None:
    jobs.fail(db, factories.running(db, ada), FailureCode.PROVIDER_DOWN)
    waiting = [factories.job(db, one) for one in (ada, eve)]
    db.commit()
    page = sams.read("/admin/queue/bulk?state=pending")
    assert "Stop 2" in page
    shown = {name: hidden(page, name) for name in ("before", "shown", "state", "kind")}
    assert sams.post("/admin/queue/bulk", form(**shown, confirmed="")).status_code == 422
    assert sams.post("/admin/queue/bulk", form(kind="cancel")).status_code == 422
    given = form(**shown)
    for _ in range(2):
        assert sams.post("/admin/queue/bulk", given).status_code == 303
    (order,) = db.scalars(sa.select(BulkOrder))
    assert order.shown == 2
    assert vics.post("/admin/queue/bulk", form(**shown)).status_code == 403
    bulk_jobs.run(order.id)
    states = sa.select(Job.status).where(Job.id.in_([job.id for job in waiting]))
    assert db.scalars(states).all() == [JobStatus.CANCELLED] * 2
    assert "done" in sams.read("/admin/queue/bulk")
