"""Where somebody was going who has to sign up first: kept in their cookie until they have.

Logging in leads back by its form alone (`next`). Signing up goes by mail and onboarding, and ends
at the chat, which asks here whether they wanted to go elsewhere.
"""

import time

from flask import session

KEY = "detour"
# What somebody wanted longer ago has gone, or is not wanted any more.
KEPT_SECONDS = 3600


def remember(path: str) -> None:
    """Lead this browser to a page of ours as soon as it has an account."""
    session[KEY] = [path, time.time() + KEPT_SECONDS]


def take() -> str | None:
    """Return the page that this browser was to be led to, and forget it; None if there is none."""
    match session.pop(KEY, None):
        case [str(path), float(until)] if time.time() < until:
            return path
        case _:
            return None
