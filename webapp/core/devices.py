"""Browsers that were logged in before: whoever guesses elsewhere locks none of them out.

A signed cookie names the accounts that were logged in here, with a random id for each. By that id
alone `security` counts guesses from a device that is known.
"""

import secrets
from typing import Any, cast
from uuid import UUID

from flask import Response, after_this_request, current_app, g, request
from itsdangerous import BadData, URLSafeSerializer

from gateways import values
from models.people import shared_devices, users
from webapp.core.db import db

# As long as browsers keep a cookie.
KEPT_SECONDS = 400 * 86400
# Of so many people who share a device.
MOST_ACCOUNTS = 5


def remember(user_id: UUID) -> None:
    """Note with the next answer that this account was logged in here."""
    mine = str(user_id)
    known = _accounts()
    others = [one for one in map(values.uuid_or_none, known) if one and one != user_id]
    if others and mine not in known:
        shared_devices.note(db(), user_id, others)
    device = known.pop(mine, "") or secrets.token_urlsafe(16)
    kept = dict([*known.items(), (mine, device)][-MOST_ACCOUNTS:])

    @after_this_request
    def _set(response: Response) -> Response:
        response.set_cookie(
            _name(),
            _serializer().dumps(kept),
            max_age=KEPT_SECONDS,
            secure=_is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response


def known_device() -> str:
    """Return the id of this device if the typed address is of an account that was here before."""
    if "known_device" not in g:
        g.known_device = _look_up()
    return cast(str, g.known_device)


def _look_up() -> str:
    known = _accounts()
    user_id = users.find_id(db(), request.form.get("email", "")) if known else None
    return known.get(str(user_id), "")


def _accounts() -> dict[str, str]:
    try:
        known: Any = _serializer().loads(request.cookies.get(_name(), ""))
    except BadData:
        return {}
    return cast(dict[str, str], known)


def _name() -> str:
    # With this name a browser takes the cookie from no neighbouring host.
    return "__Host-device" if _is_secure() else "device"


def _is_secure() -> bool:
    return cast(bool, current_app.config["SESSION_COOKIE_SECURE"])


def _serializer() -> URLSafeSerializer:
    return URLSafeSerializer(cast(str, current_app.config["SECRET_KEY"]), salt="known devices")
