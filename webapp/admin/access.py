"""Who is let to the pages of admins, by their role. For everybody else there is nothing beneath it.

An admin whose login has shown no code of an app is sent to set two-factor sign-in up.

Each view says by `allowed_to` what it asks of a role; one that says nothing is shown to nobody.
"""

from collections.abc import Callable
from typing import TypeVar

from flask import Flask, Response, current_app, request, url_for

from models.errors import NotFound
from models.people.admin_roles import Permission, may
from models.schema.users import User
from webapp.core.auth import current_session, find_current_user
from webapp.core.errors import close
from webapp.core.htmx import go_to

View = TypeVar("View", bound=Callable[..., object])
ASKED = "admin_permission"


def install(app: Flask) -> None:
    """Hide what lies beneath /admin from all but admins.

    Call it before other layers: neither a missing token of a form nor another method may tell
    strangers that something is there.
    """
    app.before_request(_guard)
    app.add_template_test(_is_allowed_to, "allowed_to")


def allowed_to(permission: Permission) -> Callable[[View], View]:
    """Say what a view asks of an admin's role."""

    def mark(view: View) -> View:
        setattr(view, ASKED, permission)
        return view

    return mark


def permission_of(view: object) -> Permission | None:
    """Return what a view asks of an admin's role; None if it is no page of admins."""
    return getattr(view, ASKED, None)


def _is_allowed_to(person: User, what: str) -> bool:
    return may(person, Permission(what))


def _guard() -> Response | None:
    # Several slashes would lead there by a redirect.
    path = request.path.lstrip("/")
    if path != "admin" and not path.startswith("admin/"):
        return None
    person = find_current_user()
    if person is None or not person.is_admin:
        raise NotFound
    if current_session().two_factor_at is None:
        return go_to(url_for("two_factor.show", admin="yes"))
    if request.endpoint is None:
        return None
    asked = permission_of(current_app.view_functions[request.endpoint])
    if asked is None:
        raise NotFound
    return None if may(person, asked) else close()
