"""Every address below /admin, as everybody: strangers, users, and admins of each role.

The addresses are those that the site has, so a new page is among them by itself.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import cast

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from models.base import new_id, utc_now
from models.ops import workers
from models.people import users
from models.people.admin_roles import PERMISSIONS, Permission
from models.schema.admins import AdminRole
from models.schema.payments import Payment, PaymentKind
from models.schema.pending_adjustments import PendingAdjustment
from models.schema.users import User
from tests import factories
from tests.webapp.browser import Browser
from webapp.admin.access import permission_of


@pytest.fixture
def ids(db: Session, ada: User) -> Mapping[str, object]:
    """What stands in addresses."""
    worker = workers.register(db, new_id(), "here")
    asked = PendingAdjustment(
        user_id=ada.id,
        amount_micros=1,
        reason="x",
        asked_by_id=new_id(),
        asked_by_email="olga@example.org",
        expires_at=utc_now() + timedelta(days=1),
    )
    payment = Payment(user_id=ada.id, kind=PaymentKind.CHECKOUT, amount_micros=10_000_000)
    db.add_all([asked, payment])
    blocked = factories.blocked_domain(db)
    db.flush()
    return {
        "user_id": ada.id,
        "job_id": factories.job(db, ada).id,
        "worker_id": worker.id,
        "what": "people",
        "invitation_id": factories.invitation(db).id,
        "adjustment_id": asked.id,
        "payment_id": payment.id,
        "rule_id": blocked.id,
    }


def addresses(app: Flask, ids: Mapping[str, object]) -> Iterator[tuple[str, str, Permission]]:
    """Yield method, path and permission of each."""
    for rule in app.url_map.iter_rules():
        if rule.rule == "/admin" or rule.rule.startswith("/admin/"):
            permission = permission_of(app.view_functions[str(rule.endpoint)])
            assert permission, f"{rule.rule} does not say who may see it"
            given = {name: ids[name] for name in cast(set[str], rule.arguments)}
            path = app.url_map.bind("localhost").build(str(rule.endpoint), given)
            for method in (rule.methods or set()) & {"GET", "POST"}:
                yield method, path, permission


def answered(browser: Browser, method: str, path: str) -> int:
    if method == "GET":
        return browser.get(path).status_code
    return browser.client.post(path, data={"csrf_token": browser.kept_token()}).status_code


def test_for_strangers_and_users_there_is_nothing(
    app: Flask, browser: Browser, adas: Browser, ids: Mapping[str, object], db: Session
) -> None:
    found = list(addresses(app, ids))
    assert found
    for method, path, _ in found:
        for nobody in (browser, adas):
            assert answered(nobody, method, path) == 404, path
            for other in ("HEAD", "OPTIONS", "DELETE"):
                assert nobody.client.open(path, method=other).status_code == 404, path


@pytest.mark.parametrize("role", list(AdminRole))
def test_each_role_sees_what_it_may_and_nothing_else(
    app: Flask,
    db: Session,
    log_in: Callable[[User], Browser],
    ids: Mapping[str, object],
    role: AdminRole,
) -> None:
    person = factories.user(db, "grace@example.org")
    users.set_admin_role(person, role)
    db.commit()
    graces = log_in(person)
    for method, path, permission in addresses(app, ids):
        status = answered(graces, method, path)
        if permission in PERMISSIONS[role]:
            # Without a reason nothing is done.
            assert status in ({200} if method == "GET" else {303, 422}), f"{method} {path}"
        else:
            assert status == 403, f"{method} {path}"


def test_a_page_that_says_nothing_is_shown_to_nobody(
    own_app: Flask, db: Session, ada: User
) -> None:
    own_app.add_url_rule("/admin/forgotten", view_func=lambda: "Secret")
    users.set_admin_role(ada, AdminRole.OWNER)
    db.commit()
    adas = Browser(own_app)
    adas.log_in(ada.email)
    factories.show_codes(db)
    assert adas.get("/admin/forgotten").status_code == 404
