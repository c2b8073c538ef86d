"""Who is let to the pages of admins. For everybody else there is nothing beneath /admin."""

from flask import Flask, request

from models.errors import NotFound
from webapp.core.auth import find_current_user


def install(app: Flask) -> None:
    """Hide what lies beneath /admin from all but admins.

    Call it before other layers: neither a missing token of a form nor another method may tell
    strangers that something is there.
    """
    app.before_request(_hide)


def _hide() -> None:
    # Several slashes would lead there by a redirect.
    if not request.path.lstrip("/").startswith("admin/"):
        return
    person = find_current_user()
    if person is None or not person.is_admin:
        raise NotFound
